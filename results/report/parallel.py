"""Files written by several processes: most of the time of a report goes into writing them."""

import gc
import multiprocessing
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from results.figures.style import Look, look
from results.processes import end_with_parent, without_script


def executor(jobs: int) -> Executor:
    """What calls functions in so many processes; with one job, in this process and at once."""
    has_server = "forkserver" in multiprocessing.get_all_start_methods()  # Windows has none
    return ProcessPool(jobs) if jobs > 1 and has_server else SameProcess()


class SameProcess(Executor):
    """Calls each function where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ProcessPool(ProcessPoolExecutor):
    """Calls functions of modules in so many processes, which save figures with the look that is in force here."""

    def __init__(self, jobs: int) -> None:
        context = multiprocessing.get_context("forkserver")
        # Where there is bench, our packages win over a user's files of the same names, in the server as they do here.
        context.set_forkserver_preload(["bench", "results.figures.style"])
        super().__init__(jobs, context, _prepare, (look.get(),))
        with without_script():
            super().submit(int)  # starts a process, and what it imports, while there is nothing to write yet

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Pickle the call here, not in the pool's thread, while the next figure is being drawn."""
        pickled = pickle.dumps((fn, args, kwargs))
        with without_script():
            return super().submit(_call, pickled)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)


def _call(pickled: bytes) -> Any:
    function, arguments, keywords = pickle.loads(pickled)  # which the program itself has written
    return function(*arguments, **keywords)


def _prepare(chosen: Look | None) -> None:
    """Leave ^C to the program, and end with it even where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which a pool ends that has lost one of its own
    look.set(chosen)
    gc.freeze()  # what was imported is not visited at every collection,
    gc.set_threshold(50_000, 20, 20)  # of which a figure's thousands of parts would set off one after the other
    end_with_parent()
