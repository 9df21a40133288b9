"""`python -m bench report`: tables, figures and pages, made anew from finished cells."""

import sys
from contextlib import nullcontext
from pathlib import Path

from bench.errors import NOTHING_MEASURED, UserError, tell
from bench.options import RUNS, Out, Runs


def report(runs: Runs = None, out: Out = RUNS) -> int:
    """Make reports anew from the finished cells."""
    from bench.plan import find_runs
    from results.run import BrokenRunError, Run

    for folder in find_runs(runs or (), out):
        try:
            if not Run.load(folder).finished:
                tell(f"nothing to report: no cell of {folder} is finished")
                return NOTHING_MEASURED
        except BrokenRunError as error:
            raise UserError(str(error)) from error
        sys.stdout.write(f"{written(folder)}\n")
    return 0


def written(folder: Path, show: bool = True) -> Path:
    """Write the report of a run, with a spinner in a terminal; the path of its page."""
    from rich.console import Console

    from results.report import write_report

    with Console(quiet=not show).status("writing the report") if show else nullcontext():
        return write_report(folder)
