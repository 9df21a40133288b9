"""`python -m bench compare`: two runs side by side."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from bench.display.tables import sheet, table_of, titled
from bench.errors import NOTHING_MEASURED, print_to_stderr, unknown
from bench.request import RUNS, Out
from bench.runs import find_runs
from results.store.run import Run

CAPTION = (
    "Medians over seeds, and the mean over seeds of the paired differences with its 95 % interval, by Student's t. A "
    "difference whose interval holds zero is unresolved. All systems: B / A - 1, by the geometric mean over paired "
    "trials, of equal weight for every system."
)
Compared = tuple[dict[str, Any], str, list[RenderableType]]  # as JSON, as Markdown, and for a terminal
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
    from results.timing.timings import is_timing

    if is_timing(first) and is_timing(second):
        found = _compare_timings(first, second)
    else:
        first, second = (str(folder) for name in (first, second) for folder in find_runs([name], out))
        found = _compare_runs(first, second, metric)
    if found is None:
        return NOTHING_MEASURED
    content, markdown, tables = found
    if layout == Layout.JSON:
        content = {"first": first, "second": second, **content}
        sys.stdout.write(json.dumps(content, indent=2, allow_nan=False) + "\n")
    elif layout == Layout.MD:
        sys.stdout.write(f"A is `{first}`, B is `{second}`.{markdown}\n")
    else:
        console = Console(highlight=False)
        console.print(f"A is {first}, B is {second}\n", markup=False, soft_wrap=True)
        console.print(*tables, sep="\n")
    return 0


def _compare_runs(first: str, second: str, only: list[str] | None) -> Compared | None:
    """A table for each metric, and what else is resolved; None where the runs have no finished cell in common."""
    from results.formatting import heading
    from results.gate import comparison
    from results.store.manifest import leading_metric

    runs = [Run.load(Path(folder)) for folder in (first, second)]
    for run in runs:
        if not run.finished:
            print_to_stderr(f"nothing to compare: {run.without_cells}")
            return None
    found = comparison.compare_runs(*runs)
    if not found.cells:
        print_to_stderr(f"nothing to compare: {first} and {second} have no finished cell in common")
        return None
    known = list(dict.fromkeys(change.metric for change in found.cells))
    for name in only or ():
        if name not in known:
            raise unknown("metric", name, known)
    metrics = only or [leading_metric(known)]
    tables = []
    for metric in metrics:
        rows = []
        for change in found.of([metric]):
            verdict = Text(change.verdict, style=COLOURS.get(change.verdict, "dim"))
            rows.append((change.system, change.learner, *change.entries[:3], verdict))
        heads = ("system", "learner", "A", "B", "B - A", "verdict")
        tables.append(titled(heading(metric), table_of(heads, rows, right=(2, 3, 4), grouped=True)))
    notes = [Text(CAPTION, style="dim"), *(Text(f"- {line}") for line in comparison.remarks(found, metrics))]
    return comparison.as_json(found), f" {CAPTION}\n\n{comparison.markdown(found, metrics)}".rstrip(), [*tables, *notes]


def _compare_timings(first: str, second: str) -> Compared | None:
    """How many times longer everything takes; None where two files of `python -m bench time` have nothing in common."""
    from results.timing import report, timings

    ratios = timings.compare_timings(*(timings.load(Path(name)) for name in (first, second)))
    if not ratios:
        print_to_stderr(f"nothing to compare: {first} and {second} have no measurement in common")
        return None
    table = report.ratio_sheet(ratios)
    return timings.as_json(ratios), f"\n\n{report.markdown(table)}", [sheet(table)]
