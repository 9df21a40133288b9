"""Reference integration: Dormand and Prince's eighth-order method, in float64, stepping exactly onto the sample times.

Only element-wise arithmetic, roots and maxima are used, so that the bytes of a solution depend neither on the machine's
linear algebra nor on its library of functions.

Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", 1993, section II.5.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from jaxtyping import Float64
from scipy.integrate import DOP853
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
State = Float64[np.ndarray, "batch dim"]
Clock = Float64[np.ndarray, " batch"]
Rate = Callable[[Tensor, State], State]

TOLERANCE = 1e-11  # error of one step, relative to 1 + |x|, where a forecast is compared with the solution
STATISTICS_TOLERANCE = 1e-8  # where only the statistics of the solution matter: transients, long runs
SMALLEST_STEP = 1e-10  # of the sampling interval, before the problem is called stiff


_NODES = np.array([*DOP853.C, 1.0])[:, None]
_STAGES = [DOP853.A[stage, :stage, None, None] for stage in range(12)]
_WEIGHTS, _ERROR_3, _ERROR_5 = (each[:, None, None] for each in (DOP853.B, DOP853.E3, DOP853.E5))


def integrate(
    velocity: Velocity,
    initial: State,
    times: Float64[np.ndarray, "*batch time"],
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, "batch time dim"]:
    """Solve dx/dt = velocity(t, x) for a batch of initial states, at the same `times` or each at its own.

    Each trajectory has a clock and a step size of its own: what is left of its interval between two samples is cut into
    equal steps, the first of which is tried. `velocity` is called with the time of each state, `[batch]`. Raises
    FloatingPointError where the solution leaves the finite numbers or the steps become too small.
    """

    def rate(t: Tensor, x: State) -> State:
        return cast(State, velocity(t, torch.from_numpy(x)).numpy())

    times = np.broadcast_to(times, (len(initial), times.shape[-1]))
    states = np.empty((*times.shape, initial.shape[1]))
    states[:, 0] = x = np.array(initial, dtype=np.float64)
    if times.shape[1] == 1:
        return states
    trajectory, sample = np.arange(len(x)), np.ones(len(x), dtype=np.int64)  # that each clock is heading for
    t, step = times[:, 0].copy(), (times[:, 1] - times[:, 0]) / 4
    with torch.no_grad(), np.errstate(over="ignore", invalid="ignore"):
        slope = rate(torch.from_numpy(t), x)
        while len(x):
            left = times[trajectory, sample] - t
            count = np.maximum(1, np.ceil(left / step * (1 - 1e-9)))
            _check(count, t)
            h = left / count
            new, new_slope, error = _step(rate, t, x, slope, h, tolerance)
            good = error <= 1
            x, slope = np.where(good[:, None], new, x), np.where(good[:, None], new_slope, slope)
            eighth_root = np.sqrt(np.sqrt(np.sqrt(np.maximum(error, 1e-12))))
            step = h * np.clip(0.9 / eighth_root, 0.1, 4.0)
            landed = good & (count == 1)
            t = np.where(landed, times[trajectory, sample], np.where(good, t + h, t))
            states[trajectory[landed], sample[landed]] = x[landed]
            sample = sample + landed
            if (sample == times.shape[1]).any():
                going = sample < times.shape[1]
                t, x, slope, step, trajectory, sample = (
                    each[going] for each in (t, x, slope, step, trajectory, sample)
                )
    return states


def _step(rate: Rate, t: Clock, x: State, slope: State, h: Clock, tolerance: float) -> tuple[State, State, Clock]:
    """One step of DOP853: the new states, their slopes, and the error of each in units of the tolerance."""
    times, width = torch.from_numpy(t + _NODES * h).unbind(), h[:, None]
    slopes = np.empty((13, *x.shape))
    slopes[0] = slope
    for stage in range(1, 12):
        slopes[stage] = rate(times[stage], x + width * _combine(_STAGES[stage], slopes))
    new = x + width * _combine(_WEIGHTS, slopes)
    slopes[12] = rate(times[12], new)
    scale = tolerance * (1 + np.maximum(np.abs(x), np.abs(new)))
    fifth, third = _combine(_ERROR_5, slopes) / scale, _combine(_ERROR_3, slopes) / scale
    size = fifth**2 + 0.01 * third**2
    error = np.divide(width * fifth**2, np.sqrt(size), out=np.zeros_like(size), where=size != 0).max(axis=1)
    return new, slopes[12], np.where(np.isfinite(error), error, np.inf)


def _check(count: Clock, t: Clock) -> None:
    worst = count.argmax()
    if not count[worst] * SMALLEST_STEP < 1:
        raise FloatingPointError(
            f"no finite solution beyond t={t[worst]:g}: the problem is stiff or its states grow without bound"
        )


def _combine(weights: Float64[np.ndarray, "stages 1 1"], slopes: Float64[np.ndarray, "13 batch dim"]) -> State:
    """Weighted sum of the first slopes, added up one after the other in every process alike."""
    return np.add.reduce(weights * slopes[: len(weights)], axis=0)
