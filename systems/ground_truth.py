"""How long a reference solution is the truth: no valid prediction time beyond that means anything."""

from math import inf

import numpy as np
from jaxtyping import Float64

from systems.base import Simulated
from systems.sampling import Dataset
from systems.solvers.dop853 import TOLERANCE

CHECKED = 16  # test states that are solved a second time
LOOSER = 10.0  # the tolerance of that, over the reference's: its error is the larger of the two
AGREEMENT = 0.05  # root mean square difference, in standard deviations, beyond which the truth is no longer known


def disagreement(difference: Float64[np.ndarray, "batch time dim"]) -> int | None:
    """The first sample at which two solutions of any trajectory differ too much, None where none do.

    Args:
        difference: of the solutions, in standard deviations.
    """
    lost = (np.sqrt((difference**2).mean(axis=-1)) > AGREEMENT).any(axis=0)
    return int(lost.argmax()) if lost.any() else None


def ground_truth_time(data: Dataset) -> float:
    """For how long, in timescales after the context, two reference solutions of all states that are checked agree.

    Infinite where they do so up to the horizon, and for recordings, which are the truth by definition.
    """
    system, sampling = data.system, data.sampling
    if not isinstance(system, Simulated):
        return inf
    _, given, _ = sampling.size("test")
    initial = system.begin("test", sampling, data.seed)[:CHECKED]
    places = sampling.places("test", data.seed)
    times = (places if places.ndim == 1 else places[:CHECKED]) * data.step
    again = system.solve(initial, times, LOOSER * TOLERANCE)[..., data.channels]
    apart = (again - data.test.states[:CHECKED].numpy(force=True))[:, given:, : data.scored]
    apart = apart / data.std.numpy(force=True)[: data.scored]
    lost = disagreement(apart)
    return inf if lost is None else lost * sampling.step
