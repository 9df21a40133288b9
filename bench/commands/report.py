"""`python -m bench report`: tables, figures and pages, made anew from finished cells."""

import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import NOTHING_MEASURED, UserError, tell, unknown
from bench.options import RUNS, FigureFormats, Out, PageFormats, Runs, StyleOfFigures, WithClaims, WithGallery

if TYPE_CHECKING:
    from results.store.run import Run

PAGE = "html"


def report(
    runs: Runs = None,
    out: Out = RUNS,
    claims: WithClaims = False,
    gallery: WithGallery = False,
    formats: PageFormats = None,
    figures: FigureFormats = None,
    style: StyleOfFigures = None,
) -> int:
    """Make reports anew from the finished cells, or say with --claims which claims of the literature they support."""
    from results.figures.style import FORMATS, looking
    from results.store.run import uncollected
    from results.tables.formats import KINDS

    chosen: dict[str, Any] = {"tables": _chosen("table format", formats, (*KINDS, PAGE))} if formats else {}
    chosen |= {"figures": _chosen("figure format", figures, FORMATS)} if figures else {}
    with looking(style) if style else nullcontext(), uncollected():
        if gallery:
            sys.stdout.write(f"{_drawn(out / 'gallery', chosen.get('figures', FORMATS))}\n")
            return 0
        return _reported(runs or (), out, claims, chosen)


def _chosen(kind: str, text: str, choices: Sequence[str]) -> tuple[str, ...]:
    """What is listed in "a,b". Raises UserError where it is none of the choices."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in choices:
            raise unknown(kind, name, choices)
    return names


def _reported(runs: Sequence[str], out: Path, claims: bool, chosen: dict[str, Any]) -> int:
    from bench.runs import find_runs
    from results.store.run import BrokenRunError, Run

    for folder in find_runs(runs, out):
        try:
            run = Run.load(folder)
            if not run.finished:
                tell(f"nothing to report: no cell of {folder} is finished")
                return NOTHING_MEASURED
        except BrokenRunError as error:
            raise UserError(str(error)) from error
        if claims:
            _judge(run)
        else:
            sys.stdout.write(f"{written(run, **chosen)}\n")
    return 0


def _drawn(folder: Path, kinds: Sequence[str]) -> Path:
    """Save every figure on sample data, with a spinner in a terminal; the folder."""
    from rich.console import Console

    from bench.machine.environment import cores
    from results.figures.style import save
    from results.report.parallel import press
    from results.report.samples import sample_figures

    with Console(stderr=True).status("drawing every figure"), press(cores()) as hand:
        for saved in [hand(save, figure, folder, name, kinds) for name, figure in sample_figures()]:
            saved()
    return folder


def written(run: "Run", show: bool = True, **chosen: Any) -> Path:
    """Write the report of a run, with a spinner in a terminal; the path of its page, or of the folder without one."""
    from rich.console import Console

    from bench.machine.environment import cores
    from results.report.page import write_report

    with Console(quiet=not show).status("writing the report") if show else nullcontext():
        try:
            return write_report(run, jobs=cores(), **chosen)
        except BrokenExecutor:  # one of them was killed, as for lack of memory
            return write_report(run, **chosen)


def _judge(run: "Run") -> None:
    """Print what the results of a run say of each claim about its suite."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from results.claims.base import claims_table, judged
    from results.claims.literature import CLAIMS

    found = claims_table(judged(CLAIMS, run.frame(), run.suite))
    console = Console(highlight=False)
    if not len(found):
        console.print(f"no claim is about suite {run.suite}")
        return
    table = Table("claim", "statement", "verdict", "effect, 95 % interval", title=f"claims on suite {run.suite}")
    for row in found.to_dict("records"):
        said = (row["claim"], f"{row['statement']}\n{row['source']}", row["verdict"], row["measured"])
        table.add_row(*(Text(part) for part in said))
    console.print(table)
