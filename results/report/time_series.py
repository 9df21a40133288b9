"""The figures of forecasts over time: along the training data, and from a test state."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from results.figures.time_series import time_series
from results.formatting import slug
from results.report.figure_data import Arrays, FigureData, Picture


def describe_panels(channels: Sequence[str], dim: int) -> str:
    """What the smaller panels show of states of so many dimensions."""
    first, *others = channels[: min(dim, 3)]
    return f"The shaded part is enlarged{f'; the plane is that of {first} and {others[-1]}' if others else ''}."


def fits(data: FigureData, system: str) -> Iterator[Picture]:
    """The first training trajectory: its truth, its noisy data, and how every learner follows it, trained and not."""
    arrays = next((found for (its, _), found in data.cells.items() if its == system and "fit_truth" in found), None)
    if arrays is None:
        return
    paths = {learner: path for learner, path in data.paths(system, "fit").items() if learner in data.run.compared}
    if not paths:
        return
    yield Picture(
        f"fits-{slug(system)}",
        "Fit to the training data",
        "The first training trajectory: its truth, what was observed of it, and the forecast of every learner (first "
        "seed) from its first samples on, also before training where it was trained update by update. "
        f"{describe_panels(data.channels(system), arrays['fit_truth'].shape[-1])}",
        partial(
            time_series,
            *(arrays[f"fit_{name}"].astype(np.float64) for name in ("times", "truth")),
            paths,
            data.styles,
            data.run.timescales[system],
            arrays["fit_data"].astype(np.float64),
            data.channels(system),
            {learner: path for learner, path in data.paths(system, "fit_before").items() if not isinstance(path, str)},
        ),
        system,
        dense=True,
    )


def forecasts_in_time(data: FigureData, system: str) -> Iterator[Picture]:
    """The forecasts of the first test state beside its truth; not of a ring, which is drawn in space and time."""
    arrays: Arrays = {} if system in data.rings else data.truth(system)
    if not arrays or not data.run.compared:
        return
    found = {learner: path for learner, path in data.paths(system, "forecast").items() if learner in data.run.compared}
    paths = {learner: path if isinstance(path, str) else path[0] for learner, path in found.items()}
    names = data.channels(system)
    times, truth = arrays["times"].astype(np.float64), arrays["truth"][0].astype(np.float64)
    yield Picture(
        f"forecasts-{slug(system)}",
        "Forecasts over time",
        "The first test state: its truth, and the forecast of every learner (first seed). "
        f"{describe_panels(names, truth.shape[-1])}",
        partial(time_series, times, truth, paths, data.styles, data.run.timescales[system], None, names),
        system,
        dense=True,
    )
