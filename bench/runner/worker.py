"""The life of one cell in a process of its own."""

import faulthandler
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import psutil
import torch

from bench.catalogue.sources import thaw
from bench.cells.cell import Cell, key
from bench.cells.evidence import perform
from bench.cells.forecasting import prepare
from bench.runner.job import Note, Task, Terms, keep_attempts
from results.store.lease import Lease

LIMITED = resource.RLIMIT_DATA  # memory written to; of address space, threads and libraries reserve far more


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
