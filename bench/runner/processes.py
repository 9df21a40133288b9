"""Processes for cells, from a fork server that has imported torch and all of our packages.

Each starts in milliseconds, and yet shares nothing with those before it, so that what it leaks, breaks or crashes ends
with it.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import psutil

Result = TypeVar("Result")

CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = (
    "bench.runner.preload",
    "torch._dynamo",
)  # the latter the first optimiser of a process would import, in seconds
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
DEAF_TO = (signal.SIGINT, signal.SIGTERM)  # schedulers and keyboards signal all processes; only the parent answers
LOST = 255  # the exit code of a process whose fork server has died
DYING = 1.0  # seconds that the death of a fork server may take
ATTEMPTS = 5  # to start a process while fork servers die

_server: list[psutil.Process] = []
_starting = RLock()  # starting a process changes what belongs to all threads: the environment, `__main__`


class Started(NamedTuple):
    """A process, and the fork server that it comes from and that tells of its end."""

    process: BaseProcess
    server: psutil.Process

    @property
    def is_lost(self) -> bool:
        """Whether the fork server has died, so that nobody knows what became of the process."""
        end = monotonic() + DYING
        while self.process.exitcode == LOST and _is_alive(self.server) and monotonic() < end:
            sleep(0.01)  # its files are closed before it counts as dead
        return self.process.exitcode == LOST and not _is_alive(self.server)


def start(target: Callable[..., None], *arguments: Any, threads: int, sees_main: bool = False) -> Started:
    """Start a process of so many threads, which dies with this one; a fork server that has died is replaced.

    The program's own `__main__` is imported again only where `sees_main` says that the arguments need it: it may be
    slow, and a script without a guard would start all over.
    """

    def try_to() -> Started:
        with _starting:
            warm_up(threads)
            started = Started(_start(target, *arguments, sees_main=sees_main), _server[0])
            if is_warm():
                return started
        started.process.kill()  # it may come from a server that has come up by itself, and knows nothing of ours
        raise EOFError

    return _persistently(try_to)


def warm_up(threads: int) -> None:
    """Have a fork server that has imported our packages, and wait for it. It and its processes are deaf to ^C."""

    def try_to() -> None:
        with _starting:
            if not is_warm():
                _warm_up(threads)

    _persistently(try_to)


def _persistently(try_to: Callable[[], Result]) -> Result:
    """Do what fails where a fork server dies at that very moment."""
    for _ in range(ATTEMPTS - 1):
        try:
            return try_to()
        except (EOFError, ConnectionError):
            cool_down()  # waits for its end: one that is dying refuses already, and yet seems alive
    return try_to()


def _warm_up(threads: int) -> None:
    cool_down()
    CONTEXT.set_forkserver_preload(list(PRELOADED))
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    resource_tracker.ensure_running()  # which would let the signals through again, were it started below
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
    try:
        with _environment(dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": paths}):
            forkserver.ensure_running()
            ours = _pid()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        mine, theirs = CONTEXT.Pipe(duplex=False)
        with mine, theirs:
            process = _start(_introduce, theirs)  # returns when everything is imported
            theirs.close()
            found = mine.recv()
        process.join()
        if found != ours:  # another has come up by itself, which knows nothing of our signals and threads
            raise EOFError
        _server[:] = [psutil.Process(found)]
    except BaseException:  # as where the user does not want to wait for all the imports
        cool_down()
        raise


def cool_down() -> None:
    """End the fork server, dead or alive, so that the next one imports what the files hold then."""
    with _starting, suppress(OSError):
        if (pid := _pid()) is not None:
            os.kill(pid, signal.SIGKILL)
            forkserver._forkserver._stop()  # type: ignore[attr-defined]


def _pid() -> int | None:
    """Of the fork server that multiprocessing knows of."""
    return forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]


def retire(server: psutil.Process) -> None:
    """End a fork server, unless another has taken its place already."""
    with _starting:
        if _server == [server]:
            cool_down()


def is_warm() -> bool:
    """Whether the fork server is alive."""
    return bool(_server) and _is_alive(_server[0])


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _start(target: Callable[..., None], *arguments: Any, sees_main: bool = False) -> BaseProcess:
    process = CONTEXT.Process(target=_run, args=(target, *arguments), daemon=True)
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


def _run(target: Callable[..., None], *arguments: Any) -> None:
    """Do it, and end, whatever threads it has left behind."""
    target(*arguments)
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


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
