"""The states between the ends of a step: the continuous extension of order seven of Dormand and Prince's method.

Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", 1993, section II.6.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64, Int64
from scipy.integrate import DOP853
from torch import Tensor

from systems.solvers.adaptive import Steps

Velocity = Callable[[Tensor, Tensor], Tensor]
State = Float64[np.ndarray, "batch dim"]
Clock = Float64[np.ndarray, " batch"]
Slopes = Float64[np.ndarray, "stages batch dim"]

_NODES = DOP853.C_EXTRA
_STAGES = [row[:stage, None, None] for stage, row in enumerate(DOP853.A_EXTRA, start=13)]
_EXTENSION = [row[:, None, None] for row in DOP853.D]


def combine(weights: Float64[np.ndarray, "stages 1 1"], slopes: Slopes) -> State:
    """Weighted sum of the first slopes, added up one after the other in every process alike."""
    return np.add.reduce(weights * slopes[: len(weights)], axis=0)


class Samples:
    """The states of trajectories `[all, time, dim]` at sample times `[all, time]`, filled in as steps are taken."""

    def __init__(self, velocity: Velocity, initial: State, times: Float64[np.ndarray, "all time"]) -> None:
        self.times = times
        self.states = np.empty((*times.shape, initial.shape[1]))
        self.states[:, 0] = initial
        self._velocity = velocity
        self._order = _ordered(np.arange(len(times))[:, None], times).ravel()

    def fill(self, steps: Steps) -> None:
        """Work out the states at the samples that lie within steps, the ends included and the beginnings not."""
        first, after = (
            np.searchsorted(self._order, _ordered(steps.trajectory, clock), side="right")
            for clock in (steps.begin, steps.end)
        )
        passed = after > first
        first, count, steps = first[passed], (after - first)[passed], steps.only(passed)
        step = np.repeat(np.arange(len(count)), count)
        sample = np.arange(len(step)) + np.repeat(first - np.cumsum(count) + count, count)
        elapsed = ((np.imag(self._order[sample]) - steps.begin[step]) / steps.length[step])[:, None]
        states = np.zeros((len(step), steps.old.shape[1]))
        for power, coefficient in enumerate(reversed(_polynomial(steps, self._velocity))):
            states += coefficient[step]
            states *= 1 - elapsed if power % 2 else elapsed
        self.states.reshape(-1, steps.old.shape[1])[sample] = steps.old[step] + states


def _ordered(trajectory: Int64[np.ndarray, "*shape"], time: Float64[np.ndarray, "*shape"]) -> np.ndarray:
    """Pairs as complex numbers, which are ordered by trajectory and then by time."""
    return trajectory + 1j * time


def _polynomial(steps: Steps, velocity: Velocity) -> list[State]:
    """Coefficients of the interpolating polynomial, in powers of s and 1 - s that take turns."""
    width = steps.length[:, None]
    change = steps.new - steps.old
    slopes = np.concatenate([steps.slopes, np.empty((3, *change.shape))])
    for stage, (node, weights) in enumerate(zip(_NODES, _STAGES, strict=True), start=13):
        state = steps.old + width * combine(weights, slopes)
        slopes[stage] = velocity(torch.from_numpy(steps.begin + node * steps.length), torch.from_numpy(state)).numpy()
    begin, end = width * slopes[0], width * slopes[12]
    return [change, begin - change, 2 * change - begin - end, *(width * combine(row, slopes) for row in _EXTENSION)]
