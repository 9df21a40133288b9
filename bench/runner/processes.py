"""Processes for cells, from a fork server that has imported torch and all of our packages.

Each starts in milliseconds, and yet shares nothing with those before it, so that what it leaks, breaks or crashes ends
with it. The standard library starts the server, and another where it has died.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from math import inf
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, RLock
from time import monotonic, perf_counter, sleep
from typing import Any, NamedTuple

import psutil

from results.processes import without_script

CONTEXT = multiprocessing.get_context("forkserver")
KERNELS = (  # compiled code, which the first run on a machine compiles, in seconds, but none on a GPU needs
    "learners.solvers.kernel",
    "learners.solvers.attempts",
    "learners.solvers.bases",
    "learners.solvers.forecasts",
    "learners.solvers.windows",
)
PRELOADED = (
    "bench.runner.fork_server",
    *KERNELS,
    "systems.solvers.dop853_kernel",
    "bench.runner.preload",
    "torch._dynamo",  # which the first optimiser of a process would import, in seconds
)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SERVER_DIED = 255  # the exit code of a process whose fork server has died, or that has chosen this one
DYING_SECONDS = 1.0  # that the death of a fork server may take
ORPHAN_SECONDS = 5.0  # that the death of a process without a fork server may take
ATTEMPTS = 50  # to start a process while fork servers die
POLL = 0.1  # seconds between two looks for what else may end the wait for a process

# The environment, `__main__` and multiprocessing's set of processes belong to all threads: two that ask for an exit
# code at the same moment, as starting a process does of all others, would both read it from the same pipe.
_lock = RLock()


class Ended(NamedTuple):
    """A process that has come to its end."""

    exit_code: int | None  # None where it was stopped before it had started
    began: float  # when, by `perf_counter`
    seconds: float  # that it took
    reports: list[Any]  # that it has sent
    server: int  # process identifier of its fork server; zero where it did not live to tell
    is_late: bool  # it was killed, as it had not ended in time
    is_lost: bool  # its fork server died, so that nobody knows how it would have ended


def run_process(
    target: Callable[..., None],
    *arguments: Any,
    threads: int,
    device: str = "cpu",
    sees_main: bool = False,
    timeout: float | None = None,
    stop: Event | None = None,
) -> Ended:
    """Run a function in a process of its own, and wait for its end. It dies with this process.

    The function is called with the arguments, and with a connection to which it may send reports. It is killed after
    `timeout` seconds, or when `stop` is set.

    Args:
        threads: of numerical libraries; it counts for the first process of a fork server and all that follow.
        device: what the function computes on, which decides what a fork server imports.
        sees_main: import the program's own `__main__` again, as the arguments need it. It may be slow, and a script
            without a guard would start all over.
    """
    stop = stop or Event()
    ours, theirs = CONTEXT.Pipe(duplex=False)
    with ours:
        with theirs:
            process = _start(target, arguments, theirs, threads, device, sees_main, stop)
        began = perf_counter()
        if process is None:
            return Ended(None, began, 0.0, [], 0, is_late=False, is_lost=False)
        end = inf if timeout is None else began + timeout
        while not (is_over := bool(wait([process.sentinel], max(0.0, min(POLL, end - perf_counter()))))):
            if stop.is_set() or perf_counter() >= end:
                process.kill()
                wait([process.sentinel])
                break
        seconds = perf_counter() - began
        with _lock:
            process.join()
        reports = []
        with suppress(EOFError, OSError):
            while ours.poll():
                reports.append(ours.recv())
    server = reports.pop(0) if reports else 0
    is_lost = process.exitcode == SERVER_DIED and not _outlives(server)
    if is_lost:
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            orphan = psutil.Process(process.pid)
            orphan.kill()
            orphan.wait(ORPHAN_SECONDS)  # its lease is free only then
    return Ended(process.exitcode, began, seconds, reports, server, not is_over, is_lost)


def end_server(pid: int = 0) -> None:
    """End the fork server with this process identifier, or else ours: the next process comes from another.

    That one imports the files as they are then.
    """
    with suppress(psutil.NoSuchProcess):
        for server in [psutil.Process(pid)] if pid else fork_servers():
            server.kill()


def fork_servers() -> list[psutil.Process]:
    """The fork server of this program, if it has one."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "multiprocessing.forkserver" in " ".join(child.cmdline()):
                found.append(child)
    return found


def start_server(threads: int) -> bool:
    """Let a fork server import what processes on the CPU will need, while it is still made up what they are to do.

    False where there is one already, or where none could be started: then the first process will start one.
    """
    if fork_servers():
        return False
    with suppress(OSError), _lock, _inheritance(threads, sees_main=False):
        _preload("cpu")
        forkserver.ensure_running()
        return True
    return False


def _preload(device: str) -> None:
    CONTEXT.set_forkserver_preload([name for name in PRELOADED if device == "cpu" or name not in KERNELS])


def abandon_start() -> None:
    """Let no thread wait for the imports of a fork server any longer, once all are told to stop."""
    while not _lock.acquire(timeout=POLL):
        end_server()
    _lock.release()


def _start(
    target: Callable[..., None],
    arguments: tuple[Any, ...],
    theirs: Any,
    threads: int,
    device: str,
    sees_main: bool,
    stop: Event,
) -> BaseProcess | None:
    """Start a process, which waits for the imports of a new fork server; None where it was stopped before."""
    for attempt in range(1, ATTEMPTS + 1):
        process = CONTEXT.Process(target=_call, args=(target, *arguments, theirs), daemon=True)
        try:
            with _lock, _inheritance(threads, sees_main):
                if stop.is_set():
                    return None
                _preload(device)
                process.start()
                return process
        except (EOFError, ConnectionError):  # a fork server that is dying refuses already, but seems alive
            if attempt == ATTEMPTS:
                raise
            sleep(POLL)
    return None


@contextmanager
def _inheritance(threads: int, sees_main: bool) -> Iterator[None]:
    """Meanwhile have the environment, the flags and the `__main__` that a new fork server or process takes over."""
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    changes = dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": paths}
    before = {name: os.environ.get(name) for name in changes}
    current = multiprocessing.current_process()
    was_daemon = current.daemon
    try:
        os.environ.update(changes)
        current.daemon = False  # workers of dask are, and may have no children
        with nullcontext() if sees_main else without_script():
            yield
    finally:
        current.daemon = was_daemon
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _call(target: Callable[..., None], *arguments: Any) -> None:
    """What a process does: it tells its fork server, calls, and ends, whatever threads it has left behind."""
    from bench.runner import fork_server  # which may be imported in a fork server and its processes alone

    arguments[-1].send(fork_server.PID)
    target(*arguments)
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _outlives(server: int) -> bool:
    """Whether a fork server is still alive a moment after a process has seemed lost: its files are closed first."""
    end = monotonic() + DYING_SECONDS
    while is_alive(server) and monotonic() < end:
        sleep(0.01)
    return is_alive(server)


def is_alive(pid: int) -> bool:
    """Whether there is a process with this identifier, other than one that has ended; there is none of zero."""
    try:
        return bool(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
