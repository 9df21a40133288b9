"""The life of one cell in a process of its own."""

import faulthandler
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Literal

import psutil
import torch

from bench.cell import Cell, prepare
from bench.fit import perform
from bench.key import key, thaw
from bench.lease import Lease
from bench.outcomes import Attempt, keep_attempts
from results import Store

LIMITED = resource.RLIMIT_DATA  # memory written to; of address space, threads and libraries reserve far more


@dataclass(frozen=True)
class Terms:
    """The conditions under which the processes of a run work."""

    store: Store
    threads: int  # of each
    memory: int | None = None  # bytes that each may use beyond what it starts with
    command: Sequence[str] = ()  # of the user, for the record; none where this program is his own


@dataclass(frozen=True)
class Task:
    """A cell to compute, and what is known of it."""

    cell: Cell
    key: str
    replace: bool = False  # what the store has under this key
    before: Sequence[Attempt] = ()  # that failed
    sees_main: bool = False  # the cell is made of classes of `__main__`, whose name is another here


@dataclass(frozen=True)
class Note:
    """What the process of a cell tells its parent; the last note counts."""

    folder: Path | None = None  # where its files lie until they are kept
    kept: bool = False  # the cell is in the store
    busy: bool = False  # another process is at work on the cell
    unwritable: OSError | None = None  # the store cannot be written, as when the disk is full
    outdated: Literal["", "server", "plan"] = ""  # what has another code of the cell than there is now


def run_cell(task: Task, terms: Terms, parent: Connection) -> None:
    """Lease a cell, execute it and commit it to the store; unless another process does so, or has done."""
    _settle_in(terms)
    if not task.sees_main and key(task.cell) != task.key:
        thaw()
        parent.send(Note(outdated="server" if key(task.cell) == task.key else "plan"))
        return
    lease = Lease(terms.store, task.key)
    try:
        if not lease.acquire():
            parent.send(Note(busy=True))
            return
        try:
            if task.replace or not terms.store.finished(task.key):
                _compute(task, terms, parent)
            parent.send(Note(kept=True))
        finally:
            lease.release()
    except OSError as error:
        parent.send(Note(unwritable=OSError(error.errno, error.strerror or str(error))))


def make_data(cell: Cell, terms: Terms) -> None:
    """Make the dataset of a cell. Errors are for the cells that need it: they try again, and have a log."""
    _settle_in(terms)
    _redirect_output(Path(os.devnull))
    _end_with_parent()
    prepare(cell, terms.store.root / "data")


def _compute(task: Task, terms: Terms, parent: Connection) -> None:
    terms.store.sweep(task.key)
    with terms.store.stage(task.key, task.replace) as folder:
        parent.send(Note(folder))
        _redirect_output(folder / "log.txt")
        _end_with_parent(folder)
        keep_attempts(folder, task.before)
        try:
            perform(task.cell, task.key, terms.store, folder)
        except OSError:
            raise
        except BaseException as error:  # an orderly end would take the log with it, which the parent keeps
            _limit_memory(None)
            traceback.print_exception(error)
            os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1)
        _limit_memory(None)  # a cell that has used up its memory still has to be written


def _settle_in(terms: Terms) -> None:
    """Only the parent answers the keyboard; threads and memory are limited before the first operation needs them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.argv[:] = terms.command or sys.argv
    torch.set_num_threads(terms.threads)
    _limit_memory(terms.memory)


def _limit_memory(more: int | None) -> None:
    """Allow this process so many bytes more than it has; None lifts the limit."""
    hard = resource.getrlimit(LIMITED)[1]
    if more is None:
        resource.setrlimit(LIMITED, (hard, hard))
        return
    usage = psutil.Process().memory_info()
    resource.setrlimit(LIMITED, (getattr(usage, "data", usage.vms) + more, hard))


def _redirect_output(log: Path) -> None:
    """Send all that this process writes to a file, also from below Python, and also as it crashes."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    faulthandler.enable(sys.stderr, all_threads=False)


def _end_with_parent(folder: Path | None = None) -> None:
    """End this process, and remove its unfinished files, when its parent is gone, however it died."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
