"""Reference integration: Dormand and Prince's eighth-order method, in float64, each trajectory at steps of its own.

Only element-wise arithmetic, roots and maxima are used, so that the bytes of a solution depend neither on the machine's
linear algebra nor on its library of functions.

Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", 1993, section II.5.
"""

import numpy as np
import torch
from jaxtyping import Float64
from scipy.integrate import DOP853

from systems.solvers.dense_output import Clock, Samples, Slopes, State, Steps, Velocity, combine

TOLERANCE = 1e-11  # error of one step, relative to 1 + |x|, where a forecast is compared with the solution
STATISTICS_TOLERANCE = 1e-8  # where only the statistics of the solution matter: transients, long runs
SMALLEST_STEP = 1e-10  # of the mean sampling interval, before the problem is called stiff

_SAFETY = 0.85  # of the step that the last error allows: one that is refused costs as much as one that is taken
_BLOCK = 2**20  # numbers in the steps that are kept before the samples within them are worked out

_NODES = np.array([*DOP853.C, 1.0])[:, None]
_STAGES = [row[:stage, None, None] for stage, row in enumerate(DOP853.A)]
_WEIGHTS, _ERROR_3, _ERROR_5 = (row[:, None, None] for row in (DOP853.B, DOP853.E3, DOP853.E5))


def integrate(
    velocity: Velocity,
    initial: State,
    times: Float64[np.ndarray, "*batch time"],
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, "batch time dim"]:
    """Solve dx/dt = velocity(t, x) for a batch of initial states, at the same `times` or each at its own.

    The error of a step is the root mean square over the state's variables. `velocity` is called with the time of each
    state, `[batch]`. Raises FloatingPointError where the solution leaves the finite numbers or the steps become too
    small.
    """
    samples = Samples(velocity, initial, np.broadcast_to(times, (len(initial), times.shape[-1])))
    if times.shape[-1] > 1:
        with torch.inference_mode(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            _follow(velocity, samples, tolerance)
    return samples.states


def _follow(velocity: Velocity, samples: Samples, tolerance: float) -> None:
    """Step from the first sample of each trajectory to its last."""
    times, x = samples.times, samples.states[:, 0].copy()
    trajectory, t, last = np.arange(len(x)), times[:, 0].copy(), times[:, -1].copy()
    step, smallest = (times[:, 1] - t) / 4, (last - t) / (times.shape[1] - 1) * SMALLEST_STEP
    slope = velocity(torch.from_numpy(t), torch.from_numpy(x)).numpy()
    taken: list[Steps] = []
    while len(x):
        _check(step / smallest, t)
        h = np.where(step * 1.01 < last - t, step, last - t)
        new, slopes, error = _step(velocity, t, x, slope, h, tolerance)
        good, end = error <= 1, np.where(h == last - t, last, t + h)
        taken.append(Steps(trajectory, t, end, h, x, new, slopes).only(good))
        x, slope = np.where(good[:, None], new, x), np.where(good[:, None], slopes[-1], slope)
        t = np.where(good, end, t)
        step = h * np.clip(_SAFETY / np.sqrt(np.sqrt(np.sqrt(error))), 0.1, 4.0)
        if (t == last).any():
            going = t < last
            trajectory, t, last, step, smallest, x, slope = (
                each[going] for each in (trajectory, t, last, step, smallest, x, slope)
            )
        if len(taken) * slopes.size > _BLOCK or not len(x):
            samples.fill(Steps.joined(taken))
            taken = []


def _step(
    velocity: Velocity, t: Clock, x: State, slope: State, h: Clock, tolerance: float
) -> tuple[State, Slopes, Clock]:
    """One step of DOP853: the new states, the slopes on the way and at the end, and the errors in tolerances."""
    nodes, width, new = torch.from_numpy(t + _NODES * h).unbind(), h[:, None], x
    slopes = np.empty((13, *x.shape))
    slopes[0] = slope
    for stage in range(1, 13):
        new = x + width * combine(_STAGES[stage] if stage < 12 else _WEIGHTS, slopes)
        slopes[stage] = velocity(nodes[stage], torch.from_numpy(new)).numpy()
    scale = tolerance * (1 + np.maximum(np.abs(x), np.abs(new)))
    fifth, third = (((combine(each, slopes) / scale) ** 2).sum(axis=1) for each in (_ERROR_5, _ERROR_3))
    total = np.sqrt((fifth + 0.01 * third) * x.shape[1])
    error = np.divide(h * fifth, total, out=np.zeros_like(total), where=total != 0)
    return new, slopes, np.where(np.isfinite(error), error, np.inf)


def _check(step: Clock, t: Clock) -> None:
    """Steps, in units of the smallest."""
    worst = step.argmin()
    if not step[worst] > 1:
        raise FloatingPointError(
            f"no finite solution beyond t={t[worst]:g}: the problem is stiff or its states grow without bound"
        )
