"""The life of one cell in a process of its own."""

import faulthandler
import os
import resource
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import torch

from bench.catalogue.sources import thaw
from bench.cells.key import Planned, digest
from bench.cells.run import run_cell
from bench.runner.task import Report, Task, write_attempts
from results import Store
from results.processes import end_with_parent
from results.store.lease import Lease

LIMITED = resource.RLIMIT_DATA  # memory written to; of address space, threads and libraries reserve far more


def run_task(task: Task, store: Store, threads: int, memory: float | None, parent: Connection) -> None:
    """Lease a cell, run it and commit it to the store; unless another process does so, or has done.

    `memory` is what the process may use beyond what it has, in GiB. The parent is sent a Report when the cell's files
    are begun, and at the end.
    """
    _set_limits(threads, memory)
    sys.argv[:] = task.command or sys.argv
    planned = task.planned
    if not task.sees_main and not is_current(planned):
        thaw()
        parent.send(Report("server_outdated" if is_current(planned) else "plan_outdated"))
        return
    lease = Lease(store, planned.key)
    try:
        if not lease.acquire():
            parent.send(Report("busy"))
            return
        try:
            if task.replace or not store.finished(planned.key):
                _write_cell(task, store, parent)
            parent.send(Report("kept"))
        finally:
            lease.release()
    except OSError as error:
        parent.send(Report("unwritable", error=OSError(error.errno, error.strerror or str(error))))


def make_data(planned: Planned, store: Store, threads: int, memory: float | None, parent: Connection) -> None:
    """Make the data of a cell. Errors are for the cells that need them: they try again, and have a log."""
    _set_limits(threads, memory)
    _redirect_output(Path(os.devnull))
    end_with_parent()
    planned.cell.prepare(store.root / "data")


def is_current(planned: Planned) -> bool:
    """Whether the files that a cell is made of are still those that it was planned with, and whole."""
    try:
        return digest(planned.cell) == planned.code
    except (OSError, ValueError, SyntaxError):
        return False


def _write_cell(task: Task, store: Store, parent: Connection) -> None:
    store.sweep(task.planned.key)
    with store.stage(task.planned.key, task.replace) as folder:
        parent.send(Report("unfinished", folder))
        _redirect_output(folder / "log.txt")
        end_with_parent(folder)
        write_attempts(folder, task.attempts)
        try:
            run_cell(task.planned, store, folder)
        except OSError:
            raise
        except BaseException as error:  # an orderly end would take the log with it, which the parent keeps
            _limit_memory(None)
            traceback.print_exception(error)
            os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1)
        _limit_memory(None)  # a cell that has used up its memory still has to be written


def _set_limits(threads: int, memory: float | None) -> None:
    """Limit threads and memory before the first operation needs them."""
    torch.set_num_threads(threads)
    _limit_memory(memory)


def _limit_memory(gibibytes: float | None) -> None:
    """Allow this process so much memory more than it has; None lifts the limit."""
    hard = resource.getrlimit(LIMITED)[1]
    if gibibytes is None:
        resource.setrlimit(LIMITED, (hard, hard))
        return
    usage = psutil.Process().memory_info()
    wanted = getattr(usage, "data", usage.vms) + int(gibibytes * 2**30)
    resource.setrlimit(LIMITED, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _redirect_output(log: Path) -> None:
    """Send all that this process writes to a file, also from below Python, and also as it crashes."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    faulthandler.enable(sys.stderr, all_threads=False)
