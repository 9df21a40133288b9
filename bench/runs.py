"""Runs: where they lie, how what they lack is run, and how their reports are written."""

import webbrowser
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from io import StringIO
from multiprocessing import get_all_start_methods
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from bench.errors import UserError, one_line, print_to_stderr, unknown
from bench.machine.environment import cores
from bench.planning.plan import Plan
from bench.request import Conditions
from bench.runner.events import Event, ignore
from results import UnreadableError
from results.store.lease import hold_lock
from results.store.run import Run

BASELINES = Path("baselines")


def find_runs(names: Sequence[str], out: Path) -> list[Path]:
    """The folders of runs, given as such or by the name of their suite; all those in `out` if none is named."""
    there = sorted(path.parent for path in out.glob("*/manifest.json"))
    if not there and not names:
        raise UserError(f"there is no run in {out}: `python -m bench run --suite NAME` makes one")
    found = []
    for name in names:
        places = [folder for folder in (out / name, Path(name)) if (folder / "manifest.json").exists()]
        if not places:
            remedy = "or the path of a folder with a manifest.json; see --out"
            raise unknown("run", name, [folder.name for folder in there], remedy)
        found.append(places[0])
    return found or there


def load_run(folder: Path) -> Run | None:
    """The run in a folder; None where it cannot be read, which the error stream is told: others may be all the same."""
    try:
        return Run.load(folder)
    except UnreadableError as error:
        print_to_stderr(f"error: {one_line(str(error))}")
        return None


def run_missing(plan: Plan, conditions: Conditions, notify: Callable[[Event], None] = ignore) -> None:
    """Run the cells of a plan, or of its shard, that are not finished; its manifest becomes that of the suite's run.

    Raises UserError where the executor is unknown or the store cannot be written, KeyboardInterrupt on ^C.
    """
    run = find_executor(conditions.executor)
    with writing_to(plan.store.root):
        plan.write_manifest()
        run(plan.share, plan.store, conditions, notify)


def find_executor(name: str) -> Callable[..., Any]:
    """What runs cells: `run` of the runner or, with the address of its scheduler, of a cluster. Raises UserError."""
    if "forkserver" not in get_all_start_methods():
        raise UserError("cells are run on Linux and macOS; on Windows, install dynamics-bench in its WSL")
    if name == "local":
        from bench.runner import run as runner

        return runner.run
    if name != "dask" and not name.startswith("dask://"):
        raise UserError(f"--executor is local, dask, dask://HOST:PORT or dask://FILE.json, but is {name!r}")
    try:
        from bench.runner import cluster
    except ImportError as error:
        raise UserError(f"--executor {name} needs the extra dask: pip install 'dynamics-bench[dask]'") from error
    return partial(cluster.run, name.removeprefix("dask").removeprefix("://"))


def report_on(plan: Plan, show: bool) -> Path | None:
    """Write the report of what was planned; None, and no report, while other shards have not finished their cells.

    Of several runs of a suite at the same time, one writes after the other. Raises UserError where none can be written.
    """
    if plan.shard.parts > 1 and not all(plan.store.complete(one.key) for one in plan.cells):
        return None
    leases = plan.store.root / "leases"
    with writing_to(plan.store.root):
        leases.mkdir(exist_ok=True)
        with hold_lock(leases / f"report-{plan.manifest['suite']}.lock"):
            return write_report(Run.load(plan.folder), show)


def write_report(run: Run, show: bool = True, **formats: Any) -> Path:
    """Write the report of a run, with a spinner if it may `show`; the path of its page, or of the folder without one.

    `formats` are `tables` and `figures`, each a tuple of names, `references`: whether figures show reference rows, and
    `elsewhere`: another folder than the run's.
    """
    from results.report import page

    with spinner("writing the report") if show else nullcontext():
        try:
            return page.write_report(run, jobs=cores(), **formats)
        except BrokenExecutor:  # one of the processes was killed, as for lack of memory
            return page.write_report(run, **formats)


def open_in_browser(page: Path) -> None:
    """Show a page in the user's browser, or say that there is none."""
    if not webbrowser.open(page.resolve().as_uri()):
        print_to_stderr(f"no browser was found: open {page} in one")


def spinner(text: str, **console: Any) -> Status:
    """A spinner with a text, for terminals alone: notebooks lack its widgets, or draw each turn below the last."""
    shown = Console(**console)
    return (Console(file=StringIO(), force_jupyter=False) if shown.is_jupyter else shown).status(text)


@contextmanager
def writing_to(root: Path) -> Iterator[None]:
    """Raise UserError where what is done meanwhile finds that a store cannot be written, or not any more."""
    try:
        yield
    except BrokenPipeError:  # of what is printed
        raise
    except OSError as error:
        message = f"cannot write to {root}: {error}; what is finished is kept, and the same command resumes"
        raise UserError(message) from error
