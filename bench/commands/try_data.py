"""`python -m bench try my.csv`: which kind of learner suits a recording, in about a minute."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError, at_least, positive
from bench.request import RUNS, AsJson, Conditions, Out, Quiet, Request, how_option, what_option
from bench.running import run_and_report

if TYPE_CHECKING:
    from bench.planning.plan import Plan
    from bench.suite import Suite

CONTEXT, HORIZON = 32, 8.0  # samples before a forecast, and timescales of it, where the recording is long enough
SHARE = 0.6  # of the longest run for testing, that a forecast and its context may take
TESTS = 64


def try_data(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, NPZ, NPY, Parquet or MATLAB; see Recorded.")],
    timescale: Annotated[
        float | None, what_option(metavar="T", help="A period or Lyapunov time; if not given, the time of one turn.")
    ] = None,
    budget: Annotated[str, what_option(metavar="NAME", help="Amount of training: quick, standard or paper.")] = "quick",
    seeds: Annotated[int, what_option(metavar="N", help="Number of seeds.")] = 3,
    jobs: Annotated[int | None, how_option("--jobs", "-j", metavar="N", help="Cells at a time.")] = None,
    out: Out = RUNS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Try five kinds of learners on a recording of your own, beside what each has to beat.

    What comes first in the file trains, what comes last is forecast. For more,
    write the suite down (see README, Your own data).
    """
    at_least("--seeds", seeds, 1)
    at_least("--jobs", jobs, 1)
    positive("--timescale", timescale, "time units")

    def plan() -> "Plan":
        from bench.planning.plan import plan_suite

        suite = suite_of(path, timescale, seeds)
        if not (as_json or quiet):
            sys.stdout.write(f"{suite.description}\n")
        return plan_suite(suite, Request(suite=suite.name, budget=budget, jobs=jobs, out=out))

    return run_and_report(plan, Conditions(), as_json=as_json, quiet=quiet)


def suite_of(path: Path, timescale: float | None, seeds: int) -> "Suite":
    """Five kinds of learners on a recording, under a protocol that it is long enough for. Raises UserError."""
    from bench.suite import Suite
    from learners import NVAR, REFERENCES, NeuralODE, Reservoir, ResNet, TrueEquations, WindowedRNN
    from metrics import STANDARD, d_h, d_stsp
    from systems import Recorded, Sampling
    from systems.recordings.recorded import MANY, TRAINING, VALIDATION
    from systems.recordings.turns import turning_time

    try:
        recorded = Recorded(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(str(error)) from error
    turn = turning_time(recorded.recording)
    scale = timescale or (turn and float(f"{turn:.3g}"))
    if scale is None:
        raise UserError(f"{path}: no channel goes up and down three times: say with --timescale what horizons are in")
    recorded = Recorded(str(path), timescale=scale)
    runs = recorded.recording.trajectories
    longest = max(map(len, runs))
    room = SHARE * longest * (1.0 if len(runs) >= MANY else 1 - TRAINING - VALIDATION)
    context = max(1, min(CONTEXT, int(room / 4)))
    step = recorded.step / scale
    horizon = min(HORIZON, (room - context) * step)
    yardsticks = (one for one in REFERENCES if not isinstance(one, TrueEquations))  # which nobody knows
    given = "as given" if timescale else "the time of one turn; --timescale says otherwise"
    description = (
        f"{path}: {longest:,} samples of {', '.join(recorded.recording.channels)}; timescale {scale:.4g} ({given}); "
        f"forecasts over {horizon:.3g} timescales after {context} samples."
    )
    try:
        return Suite(
            name=f"try-{path.stem}",
            description=description,
            systems=(recorded,),
            learners=(NVAR(), Reservoir(), ResNet(), NeuralODE(), WindowedRNN(), *yardsticks),
            metrics=(*STANDARD, d_stsp, d_h),
            sampling=Sampling(context=context, horizon=horizon, test=TESTS),
            seeds=seeds,
            unequal="each learner has its own number, that of its defaults",
        )
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from error
