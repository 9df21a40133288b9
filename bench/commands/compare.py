"""`python -m bench compare`: two runs side by side."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import NOTHING_MEASURED, UserError, tell, unknown
from bench.options import RUNS, FirstRun, Format, Layout, Out, SecondRun, Shown

if TYPE_CHECKING:
    from results.gate.comparison import Comparison

CAPTION = (
    "Medians over seeds, and the median of the paired differences with its 95 % interval: of VPT over test states, "
    "with the seeds as they are, else over seeds, of which an interval needs six. A difference whose interval holds "
    "zero is unresolved. All systems: B / A - 1, by the geometric mean over paired trials."
)


def compare(
    first: FirstRun, second: SecondRun, metric: Shown = None, layout: Format = Layout.TEXT, out: Out = RUNS
) -> int:
    """Show two runs side by side: what changed from A to B, paired trial by trial, and what is unresolved."""
    from bench.runs import find_runs
    from results.gate import comparison
    from results.store.run import BrokenRunError, Run
    from results.timing import timings as timing

    if timing.is_timing(first) and timing.is_timing(second):
        return _compare_timings(first, second, layout)
    try:
        runs = [Run.load(find_runs([name], out)[0]) for name in (first, second)]
        found = comparison.compare(*runs)
    except (BrokenRunError, ValueError) as error:
        raise UserError(str(error)) from error
    if not found.cells:
        tell(f"nothing to compare: {runs[0].folder} and {runs[1].folder} have no finished cell in common")
        return NOTHING_MEASURED
    known = list(dict.fromkeys(change.metric for change in found.cells))
    for name in metric or ():
        if name not in known:
            raise unknown("metric", name, known)
    metrics = metric or comparison.leading(found.cells)
    if layout == Layout.JSON:
        about = {"first": str(runs[0].folder), "second": str(runs[1].folder)}
        sys.stdout.write(json.dumps(about | comparison.as_json(found), indent=2, allow_nan=False) + "\n")
    elif layout == Layout.MD:
        header = f"A is `{runs[0].folder}`, B is `{runs[1].folder}`. {CAPTION}"
        sys.stdout.write(f"{header}\n\n{comparison.markdown(found, metrics)}")
    else:
        _print(found, metrics, f"A is {runs[0].folder}, B is {runs[1].folder}")
    return 0


def _compare_timings(first: str, second: str, layout: Layout) -> int:
    """Show two files of `python -m bench time` side by side."""
    from rich.console import Console

    from bench.display.tables import sheet
    from results.timing import report as timing_report
    from results.timing import timings as timing

    try:
        ratios = timing.compare(*(timing.load(Path(name)) for name in (first, second)))
    except timing.BrokenTimingError as error:
        raise UserError(str(error)) from error
    if not ratios:
        tell(f"nothing to compare: {first} and {second} have no measurement in common")
        return NOTHING_MEASURED
    if layout == Layout.JSON:
        about = {"first": first, "second": second}
        sys.stdout.write(json.dumps(about | timing.as_json(ratios), indent=2, allow_nan=False) + "\n")
        return 0
    found = timing_report.ratio_sheet(ratios)
    if layout == Layout.MD:
        sys.stdout.write(f"A is `{first}`, B is `{second}`.\n\n{timing_report.markdown(found)}\n")
        return 0
    console = Console(highlight=False)
    console.print(f"A is {first}, B is {second}", markup=False, soft_wrap=True)
    console.print(sheet(found))
    return 0


def _print(found: "Comparison", metrics: list[str], header: str) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from results.formatting import heading
    from results.gate.comparison import remarks

    console, colours = Console(highlight=False), {"better": "green", "worse": "red", "changed": "yellow"}
    console.print(header, markup=False, soft_wrap=True)
    for metric in metrics:
        changes, system = found.of([metric]), ""
        table = Table(title=heading(metric), title_justify="left", box=SIMPLE, padding=(0, 1), pad_edge=False)
        table.add_column("learner", overflow="fold")
        for name in ("A", "B", "B - A"):
            table.add_column(name, justify="right")
        table.add_column("verdict")
        for change in changes:
            if change.system != system:
                table.add_section()
                table.add_row(Text(change.system, style="bold"))
                system = change.system
            style = colours.get(change.verdict, "dim")
            table.add_row(Text(change.learner), *change.entries[:3], Text(change.verdict, style=style))
        console.print(table)
    console.print(CAPTION, style="dim", markup=False)
    for line in remarks(found, metrics):
        console.print(f"- {line}", markup=False)
