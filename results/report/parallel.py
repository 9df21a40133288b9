"""Work beside the program: most of the time of a report goes into writing files, and each can be written by itself."""

import gc
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Any

from results.figures.style import Look, look

Hand = Callable[..., Callable[[], Any]]


@contextmanager
def press(jobs: int) -> Iterator[Hand]:
    """Give a function that calls others in so many processes; with one job, in this one and at once.

    It takes a function of a module and its arguments, and returns a function that waits for the result. Figures are
    saved with the look that is in force here.
    """
    if jobs < 2:
        yield _at_once
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["results.figures.style"])
    pool = ProcessPoolExecutor(jobs, context, _prepare, (look.get(),))
    pool.submit(_nothing)  # starts a process, and what it imports, while there is nothing to write yet
    try:  # pickled here, not in the pool's thread, while the next figure is being drawn
        yield lambda *call: pool.submit(_call, pickle.dumps(call)).result
    finally:
        pool.shutdown(cancel_futures=True)


def _at_once(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    result = function(*arguments)
    return lambda: result


def _nothing() -> None: ...


def _call(pickled: bytes) -> Any:
    function, *arguments = pickle.loads(pickled)  # which the program itself has written
    return function(*arguments)


def _prepare(chosen: Look | None) -> None:
    """Leave ^C to the program, and end with it even where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # by which a pool ends that has lost one of its own
    look.set(chosen)
    gc.freeze()  # what was imported is not visited at every collection
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
