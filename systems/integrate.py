"""Reference integration: Dormand and Prince's eighth-order method, in float64, stepping exactly onto the sample times.

Only element-wise arithmetic and maxima are used, so that the bytes of a solution do not depend on the machine's
linear-algebra library. Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", 1993, section II.5.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from jaxtyping import Float64
from scipy.integrate import DOP853
from torch import Tensor

Velocity = Callable[[float, Tensor], Tensor]
State = Float64[np.ndarray, "batch dim"]
Rate = Callable[[float, State], State]

TOLERANCE = 1e-11  # error of one step, relative to 1 + |x|, where a forecast is compared with the solution
STATISTICS_TOLERANCE = 1e-8  # where only the statistics of the solution matter: transients, long runs
SMALLEST_STEP = 1e-10  # of the sampling interval, before the problem is called stiff


_STAGES = [DOP853.A[stage, :stage] for stage in range(12)]
_NODES = [float(node) for node in DOP853.C]
_WEIGHTS, _ERROR_3, _ERROR_5 = DOP853.B, DOP853.E3, DOP853.E5


def integrate(
    velocity: Velocity,
    initial: State,
    times: Float64[np.ndarray, " time"],
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, "batch time dim"]:
    """Solve dx/dt = velocity(t, x) for a batch of initial states, all of which share `times`.

    Every interval between samples is cut into equal steps, as many as the worst trajectory of the batch needs.
    Raises FloatingPointError where the solution leaves the finite numbers or the steps become too small.
    """

    def rate(t: float, x: State) -> State:
        with torch.no_grad():
            return cast(State, velocity(t, torch.from_numpy(x)).numpy())

    states = np.empty((len(times), *initial.shape))
    states[0] = x = np.array(initial, dtype=np.float64)
    step = (times[1] - times[0]) / 4 if len(times) > 1 else 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for index in range(1, len(times)):
            x, step = _interval(rate, x, times[index - 1], times[index], step, tolerance)
            states[index] = x
    return states.transpose(1, 0, 2).copy()


def _interval(
    rate: Rate, start: State, begin: float, end: float, step: float, tolerance: float
) -> tuple[State, float]:
    """Integrate from `begin` to `end` in equal steps; also return the step that the next interval may try."""
    span = end - begin
    count = max(1, int(np.ceil(span / step * (1 - 1e-9))))
    while count * SMALLEST_STEP < 1:
        h, x, worst = span / count, start, 0.0
        slope = rate(begin, x)
        for k in range(count):
            x, slope, error = _step(rate, begin + k * h, x, slope, h, tolerance)
            worst = max(worst, error)
            if worst > 1:
                break
        if worst <= 1:
            return x, h * min(4.0, 0.9 * max(worst, 1e-12) ** -0.125)
        count = int(np.ceil(count * min(10.0, max(1.25, 1.1 * worst**0.125))))
    raise FloatingPointError(f"no finite solution beyond t={begin:g}: the problem is stiff or its states grow without bound")


def _step(rate: Rate, t: float, x: State, slope: State, h: float, tolerance: float) -> tuple[State, State, float]:
    """One step of DOP853: the new state, its slope, and the largest error in units of the tolerance."""
    slopes = np.empty((13, *x.shape))
    slopes[0] = slope
    for stage in range(1, 12):
        slopes[stage] = rate(t + _NODES[stage] * h, x + h * _combine(_STAGES[stage], slopes))
    new = x + h * _combine(_WEIGHTS, slopes)
    slopes[12] = rate(t + h, new)
    scale = tolerance * (1 + np.maximum(np.abs(x), np.abs(new)))
    fifth, third = _combine(_ERROR_5, slopes) / scale, _combine(_ERROR_3, slopes) / scale
    size = fifth**2 + 0.01 * third**2
    error = np.divide(h * fifth**2, np.sqrt(size), out=np.zeros_like(size), where=size != 0).max()
    return new, slopes[12], float(error) if np.isfinite(error) else np.inf


def _combine(weights: Float64[np.ndarray, " stages"], slopes: Float64[np.ndarray, "13 batch dim"]) -> State:
    """Weighted sum of the first slopes, added up one after the other in every process alike."""
    return np.add.reduce(weights[:, None, None] * slopes[: len(weights)], axis=0)
