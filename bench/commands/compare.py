"""`python -m bench compare`: two runs side by side."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import NOTHING_MEASURED, UserError, print_to_stderr, unknown
from bench.request import RUNS, Out

if TYPE_CHECKING:
    from rich.console import Console

    from results.gate.comparison import Comparison

CAPTION = (
    "Medians over seeds, and the median of the paired differences with its 95 % interval: of VPT over test states, "
    "with the seeds as they are, else over seeds, of which an interval needs six. A difference whose interval holds "
    "zero is unresolved. All systems: B / A - 1, by the geometric mean over paired trials."
)
COLOURS = {"better": "green", "worse": "red", "changed": "yellow"}


class Layout(StrEnum):
    """How a comparison is printed."""

    TEXT = "text"
    MD = "md"
    JSON = "json"


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="The suite of a run, or its folder; or a timing.json.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The run to see beside it.")],
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", metavar="NAME", help="Only this metric; repeat for more.")
    ] = None,
    layout: Annotated[Layout, typer.Option("--format", help="How it is printed.")] = Layout.TEXT,
    out: Out = RUNS,
) -> int:
    """Show two runs side by side: what changed from A to B, paired trial by trial, and what is unresolved."""
    from rich.console import Console

    from bench.runs import find_runs
    from results.gate import comparison
    from results.statistics.trials import leading_metric
    from results.store.run import Run
    from results.timing.timings import is_timing

    if is_timing(first) and is_timing(second):
        return _compare_timings(first, second, layout)
    runs = [Run.load(find_runs([name], out)[0]) for name in (first, second)]
    try:
        found = comparison.compare_runs(*runs)
    except ValueError as error:  # of different data
        raise UserError(str(error)) from error
    if not found.cells:
        print_to_stderr(f"nothing to compare: {runs[0].folder} and {runs[1].folder} have no finished cell in common")
        return NOTHING_MEASURED
    known = list(dict.fromkeys(change.metric for change in found.cells))
    for name in metric or ():
        if name not in known:
            raise unknown("metric", name, known)
    metrics = metric or [leading_metric(known)]
    if layout == Layout.JSON:
        about = {"first": str(runs[0].folder), "second": str(runs[1].folder)}
        sys.stdout.write(json.dumps(about | comparison.as_json(found), indent=2, allow_nan=False) + "\n")
    elif layout == Layout.MD:
        header = f"A is `{runs[0].folder}`, B is `{runs[1].folder}`. {CAPTION}"
        sys.stdout.write(f"{header}\n\n{comparison.markdown(found, metrics)}")
    else:
        console = Console(highlight=False)
        console.print(f"A is {runs[0].folder}, B is {runs[1].folder}\n", markup=False, soft_wrap=True)
        _print(console, found, metrics)
    return 0


def _compare_timings(first: str, second: str, layout: Layout) -> int:
    """Show two files of `python -m bench time` side by side."""
    from rich.console import Console

    from bench.display.tables import sheet
    from results.timing import report, timings

    ratios = timings.compare_timings(*(timings.load(Path(name)) for name in (first, second)))
    if not ratios:
        print_to_stderr(f"nothing to compare: {first} and {second} have no measurement in common")
        return NOTHING_MEASURED
    table = report.ratio_sheet(ratios)
    if layout == Layout.JSON:
        about = {"first": first, "second": second}
        sys.stdout.write(json.dumps(about | timings.as_json(ratios), indent=2, allow_nan=False) + "\n")
    elif layout == Layout.MD:
        sys.stdout.write(f"A is `{first}`, B is `{second}`.\n\n{report.markdown(table)}\n")
    else:
        console = Console(highlight=False)
        console.print(f"A is {first}, B is {second}", markup=False, soft_wrap=True)
        console.print(sheet(table))
    return 0


def _print(console: "Console", found: "Comparison", metrics: list[str]) -> None:
    """Print a table for each metric, rows of the same system below its name, and what else is resolved."""
    from rich.text import Text

    from bench.display.tables import table_of, titled
    from results.formatting import heading
    from results.gate.comparison import remarks

    for metric in metrics:
        rows = [
            (
                change.system,
                change.learner,
                *change.entries[:3],
                Text(change.verdict, style=COLOURS.get(change.verdict, "dim")),
            )
            for change in found.of([metric])
        ]
        heads = ("system", "learner", "A", "B", "B - A", "verdict")
        console.print(titled(heading(metric), table_of(heads, rows, right=(2, 3, 4), grouped=True)))
    console.print(Text(CAPTION, style="dim"))
    for line in remarks(found, metrics):
        console.print(f"- {line}", markup=False)
