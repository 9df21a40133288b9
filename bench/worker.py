"""The life of one cell in a process of its own, and how such a process is started.

Processes come from a fork server that has imported torch and all of our packages: each starts in milliseconds, and yet
shares nothing with those before it, so that what it leaks, breaks or crashes ends with it.
"""

import faulthandler
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import torch

from bench.cell import Cell, execute
from bench.data import dataset
from results import Store

CONTEXT = multiprocessing.get_context("forkserver")
LATE_IMPORTS = ("torch._dynamo",)  # what the first optimiser of a process would import, in seconds
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def run_cell(cell: Cell, key: str, store: Store, threads: int, staged: Connection) -> None:
    """Execute a cell and commit it to the store; tell the parent where its files lie until then."""
    _settle_in(threads)
    with store.stage(key) as folder:
        staged.send(folder)
        _redirect_output(folder / "log.txt")
        _end_with_parent(folder)
        execute(cell, store.root / "data", folder, key)


def make_data(cell: Cell, key: str, store: Store, threads: int, staged: Connection) -> None:
    """Make the dataset of a cell. Errors are for the cells that need it: they try again, and have a log."""
    _settle_in(threads)
    _redirect_output(Path(os.devnull))
    _end_with_parent()
    dataset(cell.system, cell.sampling, cell.data_seed, store.root / "data")


def warm_up(threads: int) -> None:
    """Start the fork server and wait until it has imported our packages. It and its processes are deaf to ^C."""
    CONTEXT.set_forkserver_preload(["bench.preload", *LATE_IMPORTS])
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    with _environment(dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": paths}):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = start(_settle_in, threads)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    process.join()


def start(target: Callable[..., None], *arguments: Any, sees_main: bool = False) -> BaseProcess:
    """Start a process, which dies with this one.

    The program's own `__main__` is imported again only where `sees_main` says that the arguments need it: it may be
    slow, and a script without a guard would start all over.
    """
    process = CONTEXT.Process(target=target, args=arguments, daemon=True)
    main = sys.modules["__main__"]
    try:
        if not sees_main:
            sys.modules["__main__"] = ModuleType("__main__")
        process.start()
    finally:
        sys.modules["__main__"] = main
    return process


def _settle_in(threads: int) -> None:
    """Only the parent answers the keyboard; threads are set before the first operation starts them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


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


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
