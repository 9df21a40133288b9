"""`python -m bench forecast`: a series of one's own, continued by a model that a run has kept."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import UserError, at_least, unknown
from bench.request import RUNS, Out, what_option
from bench.runs import find_runs

if TYPE_CHECKING:
    from learners import Predictor
    from systems import Dataset, Recording

TOLERANCE = 0.01  # of the step between two samples, relative, within which a series is sampled as the data of a model


def forecast(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A suite, or the folder of a run.")],
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, NPZ, NPY, Parquet or MATLAB; see Recorded.")],
    learner: Annotated[str, what_option("--learner", "-l", metavar="NAME", help="Whose model.")],
    system: Annotated[str, what_option("--system", "-s", metavar="NAME", help="On which it was fitted.")] = "",
    seed: Annotated[int, what_option(metavar="N", help="With which it was fitted.")] = 0,
    samples: Annotated[
        int | None, what_option(metavar="N", help="Samples of the forecast; by default as many as the suite scores.")
    ] = None,
    held_back: Annotated[
        int, what_option(metavar="N", help="Start so many samples before the end, to compare with these.")
    ] = 0,
    out: Out = RUNS,
) -> None:
    """Forecast a series of your own by a model that a run has kept.

    The model is the one with the kept weights: nothing is trained. Forecasts of
    all trajectories of the file are written as CSV, the first is drawn.
    """
    at_least("--seed", seed, 0)
    at_least("--samples", samples, 1)
    at_least("--held-back", held_back, 0)
    (folder,) = find_runs([run], out)
    from bench.interface import Run
    from results.figures.continued import continued
    from results.figures.style import save
    from results.formatting import slug
    from systems import Recorded, read_trajectories
    from systems.recordings.recording import Columns

    loaded = Run.load(folder)
    place = (_named("system", system, loaded.stored.systems), _named("learner", learner, loaded.stored.learners))
    model = loaded.model(*place, seed)
    data = model.fitted_to
    assert data is not None
    own = data.system if isinstance(data.system, Recorded) else None  # whose columns have names
    try:
        columns = Columns(own.time, own.trajectory, own.recording.channels) if own else Columns()
        recording = read_trajectories(path, columns=columns)
    except (OSError, ValueError) as error:
        raise UserError(str(error)) from error
    _check(path, recording, model, data)
    count = samples or data.sampling.forecast_samples
    found = [_continue(model, one, data.step, count, held_back, own is not None) for one in recording.trajectories]
    target = folder / "forecasts"
    name = slug("-".join([path.stem, *place, str(seed), *["held-back"] * bool(held_back)]))
    target.mkdir(exist_ok=True)
    table = target / f"{name}.csv"
    _write(table, recording, found)
    first = recording.trajectories[0]
    title = f"{place[1]}, fitted to {place[0]}"
    unit = f"time ({own.time_unit})" if own and own.time_unit else "time"
    save(continued((first.times, first.states), found[0], recording.channels, title, unit), target, name, ("png",))
    sys.stdout.write(f"{table}\n{table.with_suffix('.png')}\n")


def _named(kind: str, wanted: str, labels: list[str]) -> str:
    """The label that is wanted, or the only one of that class; of one label, that. Raises UserError."""
    found = [one for one in labels if wanted in (one, one.partition("[")[0], "")]
    if wanted in labels or len(found) == 1:
        return wanted if wanted in labels else found[0]
    if found:
        raise UserError(f"which {kind}? Give --{kind} one of {', '.join(found)}")
    raise unknown(kind, wanted, labels)


def _check(path: Path, recording: "Recording", model: "Predictor", data: "Dataset") -> None:
    """Raise UserError where the model cannot go on from the series."""
    import numpy as np

    if recording.dim != data.dim:
        names = ", ".join(recording.channels)
        raise UserError(f"{path} has the channels {names}, but the model was fitted to {data.dim} channels")
    if model.least_past > 1:
        steps = np.concatenate([np.diff(one.times) for one in recording.trajectories])
        if abs(steps / data.step - 1).max() > TOLERANCE:
            raise UserError(
                f"{path}: samples are {steps.min():.6g} to {steps.max():.6g} apart, but the model reads the last "
                f"{model.least_past} of samples {data.step:.6g} apart: resample the series"
            )


def _continue(
    model: "Predictor", series: Any, step: float, samples: int, held_back: int, from_zero: bool
) -> tuple[Any, Any]:
    """Times and states of the forecast of one trajectory, after the last sample that is given. Raises UserError.

    The first sample is at time zero for a model of a recording, all of whose trajectories begin there.
    """
    import torch

    from systems import Trajectories

    if held_back >= len(series):
        raise UserError(
            f"--held-back {held_back} leaves nothing of trajectory {series.name}: it has {len(series)} samples"
        )
    given = series.between(0, len(series) - held_back)
    origin = given.times[0] if from_zero else 0.0
    past = Trajectories(torch.from_numpy(given.times - origin)[None], torch.from_numpy(given.states)[None])
    try:
        found = model.forecast_after(past, step * torch.arange(1, samples + 1, dtype=torch.float64)).states[0]
    except ValueError as error:
        raise UserError(f"trajectory {series.name}, of which {len(given)} samples are given: {error}") from error
    return given.times[-1] + step * torch.arange(1, samples + 1, dtype=torch.float64).numpy(), found.numpy()


def _write(path: Path, recording: "Recording", found: list[tuple[Any, Any]]) -> None:
    """A row for each sample of each forecast, with the columns that a recording is read from."""
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trajectory", "time", *recording.channels])
        for series, (times, states) in zip(recording.trajectories, found, strict=True):
            writer.writerows([series.name, *row] for row in zip(times.tolist(), *states.T.tolist(), strict=True))
