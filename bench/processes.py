"""Processes for cells, from a fork server that has imported torch and all of our packages.

Each starts in milliseconds, and yet shares nothing with those before it, so that what it leaks, breaks or crashes ends
with it.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

import psutil

CONTEXT = multiprocessing.get_context("forkserver")
LATE_IMPORTS = ("torch._dynamo",)  # what the first optimiser of a process would import, in seconds
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
DEAF_TO = (signal.SIGINT, signal.SIGTERM)  # schedulers and keyboards signal all processes; only the parent answers
ATTEMPTS = 5  # to start a process while fork servers die

_server: list[psutil.Process] = []
_starting = RLock()  # starting a process changes what belongs to all threads: the environment, `__main__`


def start(target: Callable[..., None], *arguments: Any, threads: int, sees_main: bool = False) -> BaseProcess:
    """Start a process of so many threads, which dies with this one; a fork server that has died is replaced.

    The program's own `__main__` is imported again only where `sees_main` says that the arguments need it: it may be
    slow, and a script without a guard would start all over.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _starting:
                warm_up(threads)
                return _start(target, *arguments, sees_main=sees_main)
        except (EOFError, ConnectionError):  # the fork server died at this very moment
            if attempt == ATTEMPTS:
                raise
    raise AssertionError


def warm_up(threads: int) -> None:
    """Have a fork server that has imported our packages, and wait for it. It and its processes are deaf to ^C."""
    with _starting:
        if is_warm():
            return
        CONTEXT.set_forkserver_preload(["bench.preload", *LATE_IMPORTS])
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
        mine, theirs = CONTEXT.Pipe(duplex=False)
        resource_tracker.ensure_running()  # which would let the signals through again, were it started below
        before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
        try:
            with mine, theirs, _environment(dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": paths}):
                process = _start(_introduce, theirs)
                theirs.close()
                _server[:] = [psutil.Process(mine.recv())]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        process.join()


def is_warm() -> bool:
    """Whether the fork server is alive."""
    try:
        return bool(_server) and _server[0].is_running() and _server[0].status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _start(target: Callable[..., None], *arguments: Any, sees_main: bool = False) -> BaseProcess:
    process = CONTEXT.Process(target=target, args=arguments, daemon=True)
    main, current = sys.modules["__main__"], multiprocessing.current_process()
    was_daemon = current._config.get("daemon", False)  # type: ignore[attr-defined]
    try:
        if not sees_main:
            sys.modules["__main__"] = ModuleType("__main__")
        current._config["daemon"] = False  # type: ignore[attr-defined]  # workers of dask are, and may have no children
        process.start()
    finally:
        sys.modules["__main__"] = main
        current._config["daemon"] = was_daemon  # type: ignore[attr-defined]
    return process


def _introduce(parent: Connection) -> None:
    """Tell who the fork server is."""
    parent.send(os.getppid())


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
