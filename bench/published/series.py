"""Series of samples that others have published, as data for learners: their last rows validate, and forecasts go on."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float64

from systems import Dataset, Sampling, System, Trajectories

Rows = Float64[np.ndarray, "rows dim"]

PIECE = 500  # rows of the pieces that long series are cut into
CONTEXT = 16  # rows before a forecast
VALIDATION = 0.2  # of the rows, the last ones


def dataset_of(rows: Rows, following: Rows, step: float, system: System) -> Dataset:
    """A series, `step` time units between its rows, and what follows it, which is forecast from the very last rows.

    The system gives the timescale; of anything else in it only the true equations make use.
    """
    ends = len(rows) - max(2 * CONTEXT, round(VALIDATION * len(rows)))
    train, valid = pieces(rows[:ends]), pieces(rows[ends:])
    test = trajectories([np.concatenate([rows[-CONTEXT:], following])], step)
    units = step / system.timescale
    horizon = units * len(following)
    sampling = Sampling(
        step=units,
        trajectories=len(train),
        samples=len(train[0]),
        valid=len(valid),
        test=1,
        context=CONTEXT,
        horizon=horizon,
        climate=1,
        climate_horizon=horizon,
    )
    return Dataset(system, sampling, 0, trajectories(train, step), trajectories(valid, step), test, test)


def pieces(rows: Rows) -> list[Rows]:
    """Rows in pieces of equal length, at most `PIECE` long; what does not fill them is left out at the beginning."""
    count = -(-len(rows) // PIECE)
    length = len(rows) // count
    return np.split(rows[len(rows) - count * length :], count)


def trajectories(runs: Sequence[Rows], step: float) -> Trajectories:
    """Runs of equal length, each from time 0."""
    states = torch.from_numpy(np.stack(runs))
    times = step * torch.arange(states.shape[1], dtype=torch.float64)
    return Trajectories(times.expand(len(states), -1).clone(), states)
