"""`python -m bench baseline save`: keep what a run measured, for later runs to be held to."""

import shlex
import sys
from pathlib import Path

import typer

from bench.errors import NOTHING_MEASURED, UserError, tell
from bench.options import RUNS, BaselineName, FromRun, Noise, Out, Tolerances

FOLDER = Path("results") / "baselines"

baseline = typer.Typer(help="Keep what a run measured, for later runs to be held to.", no_args_is_help=True)


@baseline.command()
def save(
    source: FromRun, name: BaselineName = "", noise: Noise = None, tolerance: Tolerances = None, out: Out = RUNS
) -> int:
    """Write what a run measured to a small file that later runs are held to.

    The noise between re-runs is measured over the seeds of the run and of those given with --noise.
    """
    from bench.runs import find_runs
    from results.gate.baseline import Baseline, BrokenBaselineError
    from results.store.run import BrokenRunError, Run

    try:
        run, *others = (Run.load(folder) for folder in find_runs([source, *(noise or ())], out))
        if not run.finished:
            tell(f"nothing to keep: no cell of {run.folder} is finished")
            return NOTHING_MEASURED
        kept = Baseline.of_run(run, others, _tolerances(tolerance or (), run.metrics))
    except (BrokenRunError, BrokenBaselineError) as error:
        raise UserError(str(error)) from error
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name or run.suite}.json"
    kept.write(path)
    if run.unfinished:
        tell(f"note: {len(run.unfinished)} cells are not finished, and not in the baseline")
    if max(kept.noise()["repeats"]) < 3:
        tell("note: fewer than four trials of each cell tell nothing of the noise: name re-runs with --noise")
    sys.stdout.write(f"{path}\n")
    return 0


@baseline.callback()
def _group() -> None:
    """A command of its own name below `baseline`, though it is the only one."""


def accepting(run: Path, path: Path) -> str:
    """The command that makes a run the new baseline."""
    return shlex.join(["python", "-m", "bench", "baseline", "save", "--from", str(run), "--name", str(path)])


def _tolerances(given: "list[str] | tuple[str, ...]", metrics: list[str]) -> dict[str, float]:
    """The tolerances in `METRIC=VALUE`. Raises UserError."""
    from bench.errors import unknown

    found = {}
    for text in given:
        metric, _, value = text.partition("=")
        if metric not in metrics:
            raise unknown("metric", metric, metrics)
        try:
            found[metric] = float(value)
        except ValueError as error:
            raise UserError(f"--tolerance must be METRIC=NUMBER, such as vpt=0.1, but is {text!r}") from error
        if not 0 <= found[metric] < float("inf"):
            raise UserError(f"--tolerance must not be negative, but is {text!r}")
    return found
