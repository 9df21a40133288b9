"""Reference integration: Dormand and Prince's eighth-order method, in float64, each trajectory at steps of its own.

Only element-wise arithmetic, roots and maxima are used, so that the bytes of a solution depend neither on the machine's
linear algebra nor on its library of functions.

Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", 1993, section II.5.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from scipy.integrate import DOP853

from systems.solvers.adaptive import Embedded, Start
from systems.solvers.dense_output import Clock, Samples, Slopes, State, Velocity, combine
from systems.solvers.handover import Handover

TOLERANCE = 1e-11  # error of one step, relative to 1 + |x|, where a forecast is compared with the solution
STATISTICS_TOLERANCE = 1e-8  # where only the statistics of the solution matter: transients, long runs
SMALLEST_STEP = 1e-10  # of the mean sampling interval, before the problem is called stiff

_SAFETY = 0.85  # of the step that the last error allows: one that is refused costs as much as one that is taken

_NODES = np.array([*DOP853.C, 1.0])[:, None]
_STAGES = [row[:stage, None, None] for stage, row in enumerate(DOP853.A)] + [DOP853.B[:, None, None]]
_ERRORS = DOP853.E5[:, None, None], DOP853.E3[:, None, None]


def integrate(
    velocity: Velocity, initial: State, times: Float64[np.ndarray, "*batch time"], tolerance: float = TOLERANCE
) -> Float64[np.ndarray, "batch time dim"]:
    """Solve dx/dt = velocity(t, x) for a batch of initial states, at the same `times` or each at its own.

    The error of a step is the root mean square over the state's variables. `velocity` is called with the time of each
    state, `[batch]`. Raises FloatingPointError where the solution leaves the finite numbers or the steps become too
    small.
    """
    samples = Samples(velocity, initial, np.broadcast_to(times, (len(initial), times.shape[-1])))
    if times.shape[-1] > 1:
        first, second, last = (samples.times[:, place].copy() for place in (0, 1, -1))
        smallest = (last - first) / (times.shape[-1] - 1) * SMALLEST_STEP
        x = samples.states[:, 0].copy()
        start = Start(np.arange(len(x)), first, last, x, (second - first) / 4)
        handover = Handover(velocity)
        method = _DOP853(velocity, tolerance, smallest, handover.takes)
        with torch.inference_mode(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if not handover.takes(start):
                method.integrate(*start, samples.fill)
            control = tolerance, _SAFETY, method.slack
            if handover.rest and not handover.integrate(smallest, control, samples.times, samples.states):
                replace(method, leaves=lambda rest: False).integrate(*handover.rest, samples.fill)  # and say why
    return samples.states


@dataclass(frozen=True)
class _DOP853(Embedded):
    field: Velocity
    tolerance: float
    smallest: Clock  # step of each trajectory
    leaves: Callable[[Start], bool]  # whether all that is still to be done is left to compiled code

    arrays = np
    slack = 1.01

    def velocity(self, t: Clock, x: State) -> State:
        return self.field(torch.from_numpy(t), torch.from_numpy(x)).numpy()

    def attempt(
        self, trajectory: np.ndarray, t: Clock, x: State, slope: State, h: Clock
    ) -> tuple[State, Slopes, Clock]:
        nodes = torch.from_numpy(t + _NODES * h).unbind()
        width = h[:, None]
        new = x
        slopes = np.empty((13, *x.shape))
        slopes[0] = slope
        for stage in range(1, 13):
            new = x + width * combine(_STAGES[stage], slopes)
            slopes[stage] = self.field(nodes[stage], torch.from_numpy(new)).numpy()
        scale = self.tolerance * (1 + np.maximum(np.abs(x), np.abs(new)))
        fifth, third = (((combine(each, slopes) / scale) ** 2).sum(axis=1) for each in _ERRORS)
        total = np.sqrt((fifth + 0.01 * third) * x.shape[1])
        error = np.divide(h * fifth, total, out=np.zeros_like(total), where=total != 0)
        return new, slopes, np.where(np.isfinite(error), error, np.inf)

    def resize(self, h: Clock, error: Clock, accepted: np.ndarray) -> Clock:
        return h * np.clip(_SAFETY / np.sqrt(np.sqrt(np.sqrt(error))), 0.1, 4.0)

    def continues(self, trajectory: np.ndarray, t: Clock, last: Clock, x: State, step: Clock) -> np.ndarray:
        going = t < last
        steps = np.where(going, step / self.smallest[trajectory], np.inf)
        worst = steps.argmin()
        if not steps[worst] > 1:
            raise FloatingPointError(
                f"no finite solution beyond t={t[worst]:g}: the problem is stiff or its states grow without bound"
            )
        if going.any() and self.leaves(Start(*(each[going] for each in (trajectory, t, last, x, step)))):
            going[:] = False
        return going
