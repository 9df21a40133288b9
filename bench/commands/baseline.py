"""`python -m bench baseline save`: keep what a run measured, for later runs to be held to."""

import sys
from collections.abc import Sequence
from math import exp, expm1, inf, log
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.display.tables import table_of
from bench.errors import NOTHING_MEASURED, UserError, print_to_stderr, unknown
from bench.request import RUNS, Out
from bench.runs import BASELINES, find_runs
from results.store.run import Run

if TYPE_CHECKING:
    import pandas as pd

UNSEEN = 1000.0  # a factor: who sees no smaller loss sees nothing

baseline = typer.Typer(help="Keep what a run measured, for later runs to be held to.", no_args_is_help=True)


@baseline.command()
def save(
    source: Annotated[str, typer.Option("--from", metavar="RUN", help="The run to keep: its suite, or its folder.")],
    name: Annotated[
        str, typer.Option(metavar="NAME|FILE.json", help="Of the baseline; the suite's if not given.")
    ] = "",
    noise: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="A re-run with other seeds, to measure the noise by; repeat for more."),
    ] = None,
    tolerance: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=X", help="Of the logarithm of a metric; repeat for more.")
    ] = None,
    out: Out = RUNS,
) -> int:
    """Write what a run measured to a small file that later runs are held to.

    The noise between re-runs is measured over the seeds of the run and of those given with --noise. What is printed
    besides says how great a loss of each metric a check can see with these seeds: more of them see less.
    """
    from results.gate.baseline import Baseline
    from results.gate.regression import visible_effects

    run, *others = (Run.load(folder) for folder in find_runs([source, *(noise or ())], out))
    if not run.finished:
        print_to_stderr(f"nothing to keep: no cell of {run.folder} is finished")
        return NOTHING_MEASURED
    kept = Baseline.of_run(run, others, _tolerances(tolerance or (), run.metrics))
    path = Path(name) if name.endswith(".json") else BASELINES / f"{name or run.suite}.json"
    kept.write(path)
    if run.unfinished:
        print_to_stderr(f"note: {len(run.unfinished)} cells are not finished, and not in the baseline")
    if max(kept.noise()["repeats"]) < 3:
        print_to_stderr(
            "note: fewer than four trials of each cell tell nothing of the noise: name re-runs with --noise"
        )
    _print_sight(visible_effects(kept))
    sys.stdout.write(f"{path}\n")
    return 0


@baseline.callback()
def _group() -> None:
    """A command of its own name below `baseline`, though it is the only one."""


def _print_sight(effects: "pd.DataFrame") -> None:
    """For each metric the least loss that is seen: at best, in the median, and at worst, with where that is."""
    found = []
    for metric, cells in effects.groupby("metric", sort=False):
        ordered = cells.sort_values("effect", kind="stable")
        worst = ordered.iloc[-1]
        least = ordered["effect"].to_numpy()
        seen = [_in_words(float(least[place])) for place in (0, (len(least) - 1) // 2, -1)]
        found.append((str(metric), *seen, f"{worst['learner']} on {worst['system']}"))
    heads = ("loss that is seen of", "at best", "median", "at worst", "where")
    table = table_of(heads, found, right=(1, 2, 3))
    table.columns[0].no_wrap = True  # names that --tolerance takes
    Console(stderr=True, highlight=False).print("", table, "")


def _in_words(effect: float) -> str:
    """A log-ratio as a change for the worse: in per cent, or as a factor from two on."""
    if effect > log(UNSEEN):
        return "nothing"
    return f"{100 * expm1(effect):.2g} %" if effect < log(2) else f"factor {exp(effect):.2g}"


def _tolerances(given: Sequence[str], metrics: Sequence[str]) -> dict[str, float]:
    """The tolerances in `METRIC=VALUE`. Raises UserError."""
    found = {}
    for text in given:
        metric, _, value = text.partition("=")
        if metric not in metrics:
            raise unknown("metric", metric, metrics)
        try:
            found[metric] = float(value)
        except ValueError as error:
            raise UserError(f"--tolerance must be METRIC=NUMBER, such as vpt=0.1, but is {text!r}") from error
        if not 0 <= found[metric] < inf:
            raise UserError(f"--tolerance must be a finite number of at least 0, but is {text!r}")
    return found
