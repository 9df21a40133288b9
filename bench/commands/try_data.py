"""`python -m bench try my.csv`: which kind of learner suits a recording, in about a minute."""

import re
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError, at_least, positive
from bench.request import RUNS, AsJson, Conditions, Out, Quiet, Request, how_option, what_option
from bench.running import run_and_report

if TYPE_CHECKING:
    from bench.planning.plan import Plan
    from bench.suite import Suite
    from systems import Recorded

CONTEXT, HORIZON = 32, 8.0  # samples before a forecast, and timescales of it, where the recording is long enough
SHARE = 0.6  # of the longest run for testing, that a forecast and its context may take
TESTS = 64
DATA_SEED = 0  # by which trajectories are dealt out
OPTIONS = {"timescale": "--timescale", "time": "--time", "channels": "--channel"}  # for fields of Recorded


def try_data(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, NPZ, NPY, Parquet or MATLAB; see Recorded.")],
    timescale: Annotated[
        float | None, what_option(metavar="T", help="A period or Lyapunov time; if not given, the time of one turn.")
    ] = None,
    time: Annotated[str, what_option(metavar="NAME", help="Column of the times.")] = "time",
    channels: Annotated[
        list[str] | None,
        what_option("--channel", metavar="NAME", help="Only this column; repeat for more. If not given, all others."),
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
    write the suite down (see docs/own.md, Data).
    """
    at_least("--seeds", seeds, 1)
    at_least("--jobs", jobs, 1)
    positive("--timescale", timescale, "time units")

    def plan() -> "Plan":
        from bench.planning.plan import plan_suite

        try:
            suite = suite_of(path, timescale, seeds, time, channels or ())
            made = plan_suite(suite, Request(suite=suite.name, budget=budget, jobs=jobs, out=out))
        except UserError as error:
            raise UserError(_by_options(str(error))) from error
        if not (as_json or quiet):
            sys.stdout.write(f"{suite.description}\n")
        return made

    return run_and_report(plan, Conditions(), as_json=as_json, quiet=quiet)


def suite_of(
    path: Path, timescale: float | None, seeds: int, time: str = "time", channels: Sequence[str] = ()
) -> "Suite":
    """Five kinds of learners on a recording, under a protocol that it is long enough for. Raises UserError."""
    from bench.suite import Suite
    from learners import NVAR, REFERENCES, NeuralODE, Reservoir, ResNet, TrueEquations, WindowedRNN
    from metrics import STANDARD, d_h, d_stsp
    from results.formatting import slug
    from systems import Recorded, Sampling
    from systems.recordings.turns import turning_time

    try:
        recorded = Recorded(str(path), channels=tuple(channels), time=time)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(str(error)) from error
    turn = turning_time(recorded.recording)
    scale = timescale or (turn and float(f"{turn:.3g}"))
    if scale is None:
        raise UserError(f"{path}: no channel goes up and down three times: say with --timescale what horizons are in")
    recorded = replace(recorded, timescale=scale)
    if HORIZON * scale < recorded.step:
        raise UserError(
            f"{path}: {HORIZON:g} timescales of {scale:g} are less than the {recorded.step:g} between two samples: "
            "give --timescale in the file's unit of time"
        )
    longest = max(map(len, recorded.recording.trajectories))
    context, room = _room(recorded)
    horizon = min(HORIZON, room * recorded.step / scale)
    name = path.stem if re.fullmatch(r"[\w.-]+", path.stem) else slug(path.stem)
    yardsticks = (one for one in REFERENCES if not isinstance(one, TrueEquations))  # which nobody knows
    given = "as given" if timescale else "the time of one turn; --timescale says otherwise"
    description = (
        f"{path}: {longest:,} samples of {', '.join(recorded.recording.channels)}; timescale {scale:.4g} ({given}); "
        f"forecasts over {horizon:.3g} timescales after {context} samples."
    )
    try:
        return Suite(
            name=f"try-{name}",
            description=description,
            systems=(recorded,),
            learners=(NVAR(), Reservoir(), ResNet(), NeuralODE(), WindowedRNN(), *yardsticks),
            metrics=(*STANDARD, d_stsp, d_h),
            sampling=Sampling(context=context, horizon=horizon, test=TESTS),
            seeds=seeds,
            data_seed=DATA_SEED,
            unequal="each learner has its own number, that of its defaults",
        )
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from error


def _room(recorded: "Recorded") -> tuple[int, float]:
    """The context of forecasts, and how many samples they may go on for, in the longest run for testing.

    A context leaves three times as much for the forecast, and runs for training and validation that are longer than it.
    Raises UserError where there is nothing to test on.
    """
    from systems import RecordingNote

    for context in range(CONTEXT, 1, -1):
        with suppress(ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore", RecordingNote)  # of what other contexts would leave out
            train, valid, test = (recorded.longest(part, context, DATA_SEED) for part in ("train", "valid", "test"))
            if min(train, valid) > context and context <= SHARE * test / 4:
                return context, SHARE * test - context
    try:
        return 1, SHARE * recorded.longest("test", 1, DATA_SEED) - 1
    except ValueError as error:
        raise UserError(str(error)) from error


def _by_options(message: str) -> str:
    """What is said of fields of `Recorded`, with the options of this command in their place."""
    return re.sub(r"\bRecorded\.(\w+)", lambda found: OPTIONS.get(found[1], found[0]), message)
