"""`python -m bench report`: tables, figures and pages, made anew from finished cells."""

import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from enum import StrEnum
from typing import Annotated, Any

from rich.console import Console

from bench.display.tables import table_of, titled
from bench.errors import MISTAKEN, NOTHING_MEASURED, UserError, print_to_stderr, unknown
from bench.machine.environment import cores
from bench.request import RUNS, Open, Out, RunNames, shown_option
from bench.runs import find_runs, load_run, open_in_browser, spinner, write_report
from results.store.run import Run, no_garbage_collection

PER_INCH = {"mm": 25.4, "cm": 2.54, "in": 1.0, "pt": 72.0}
NARROWEST, WIDEST = 40 / 25.4, 1000 / 25.4  # inches


class FigureStyle(StrEnum):
    """For what figures are made."""

    PAPER = "paper"
    TALK = "talk"
    SCREEN = "screen"


def report(
    runs: RunNames = None,
    out: Out = RUNS,
    claims: Annotated[
        bool, shown_option("--claims", help="Test what the literature says on these results, instead.")
    ] = False,
    gallery: Annotated[bool, shown_option("--gallery", help="Draw every figure once on sample data, instead.")] = False,
    formats: Annotated[
        str | None, shown_option("--format", metavar="md,csv,tex,html", help="Tables as these; html: the page.")
    ] = None,
    figures: Annotated[str | None, shown_option(metavar="pdf,svg,png", help="Figures as these.")] = None,
    style: Annotated[
        FigureStyle | None, shown_option(help="Size and fonts of figures; paper: journals' column widths.")
    ] = None,
    width: Annotated[str, shown_option(metavar="89mm", help="Width of every figure, in mm, cm, in or pt.")] = "",
    references: Annotated[
        bool, shown_option("--references/--no-references", help="Whether figures show the reference rows.")
    ] = True,
    shown: Open = False,
) -> int:
    """Make reports anew from the finished cells, or say with --claims which claims of the literature they support."""
    from results.figures.style import FORMATS, looking, save
    from results.report.parallel import executor
    from results.report.samples import FIGURES
    from results.tables.formats import KINDS

    chosen: dict[str, Any] = {"tables": _chosen("table format", formats, (*KINDS, "html"))} if formats else {}
    chosen |= {"figures": _chosen("figure format", figures, FORMATS)} if figures else {}
    inches = _inches(width) if width else None
    chosen |= {} if references else {"references": False}
    with looking(style or "", inches) if style or inches else nullcontext(), no_garbage_collection():
        if gallery:
            kinds = chosen.get("figures", FORMATS)
            with spinner("drawing every figure", stderr=True), executor(cores()) as pool:
                for saved in [
                    pool.submit(save, draw(), out / "gallery", name, kinds) for name, draw in FIGURES.items()
                ]:
                    saved.result()
            sys.stdout.write(f"{out / 'gallery'}\n")
            return 0
        code = 0
        for folder in find_runs(runs or (), out):
            run = load_run(folder)
            if run is None:
                code = MISTAKEN
            elif not run.finished:
                print_to_stderr(f"nothing to report: {run.without_cells}")
                code = code or NOTHING_MEASURED
            elif claims:
                _print_claims(run)
            else:
                path = write_report(run, **chosen)
                sys.stdout.write(f"{path}\n")
                if shown:
                    open_in_browser(path)
    return code


def _chosen(kind: str, text: str, choices: Sequence[str]) -> tuple[str, ...]:
    """What is listed in "a,b". Raises UserError where it is none of the choices."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in choices:
            raise unknown(kind, name, choices)
    return names


def _inches(text: str) -> float:
    """A width in inches. Raises UserError where it is none that a figure can have."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(mm|cm|in|pt)\s*", text)
    inches = float(found[1]) / PER_INCH[found[2]] if found else 0.0
    if not NARROWEST <= inches <= WIDEST:
        raise UserError(f"--width is a length from 40mm to 1000mm, such as 89mm, 3.5in or 252pt, but is {text!r}")
    return inches


def _print_claims(run: Run) -> None:
    """Print what the results of a run say of each claim about its suite."""
    from results.claims.base import judged
    from results.claims.literature import CLAIMS

    console = Console(highlight=False)
    rows = [
        (
            claim.name,
            "\n".join(filter(None, (claim.statement, claim.conditions, claim.source))),
            effect.verdict,
            effect.in_words,
        )
        for claim, effect in judged(CLAIMS, run.frame_of_components(), run.suite, run.budget)
    ]
    if not rows:
        console.print(f"no claim is about suite {run.suite}")
        return
    table = table_of(("claim", "statement", "verdict", "effect, 95 % interval"), rows)
    console.print(titled(f"claims on suite {run.suite}", table))
