"""Reference integration of stiff problems: LSODA, whose implicit steps are bounded by accuracy alone.

Petzold, "Automatic selection of methods for solving stiff and nonstiff systems of ordinary differential equations",
SIAM Journal on Scientific and Statistical Computing 4, 1983.
"""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64
from scipy.integrate import LSODA
from torch import Tensor

from systems.solvers.dop853 import TOLERANCE

FINEST = 1e-13  # LSODA refuses tolerances too near the rounding error
SMALLEST_STEP = 1e-14  # of the time, before it can no longer be told from the rounding error


def integrate_stiff(
    velocity: Callable[[float, Tensor], Tensor],
    initial: Float64[np.ndarray, "batch dim"],
    times: Float64[np.ndarray, "*batch time"],
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, "batch time dim"]:
    """Solve dx/dt = velocity(t, x) for each initial state by itself: fast phases come at different times.

    Multistep methods err by several times what they are asked for, so they are asked for a tenth of `tolerance`.
    Raises FloatingPointError where the solution leaves the finite numbers or the solver gives up.
    """
    times = np.broadcast_to(times, (len(initial), times.shape[-1]))
    states = np.empty((*times.shape, initial.shape[1]))
    with torch.no_grad(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what LSODA says of its failures is raised instead
        for trajectory, start in enumerate(np.array(initial, dtype=np.float64)):
            states[trajectory] = _solve(velocity, start, times[trajectory], max(tolerance / 10, FINEST))
    return states


def _solve(
    velocity: Callable[[float, Tensor], Tensor],
    start: Float64[np.ndarray, " dim"],
    times: Float64[np.ndarray, " time"],
    tolerance: float,
) -> Float64[np.ndarray, "time dim"]:
    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return velocity(t, torch.from_numpy(x)).numpy()

    states = np.empty((len(times), len(start)))
    states[0] = start
    reached = 1
    solver = LSODA(rate, times[0], start, times[-1], rtol=tolerance, atol=tolerance)
    while reached < len(times):
        trouble = solver.step()
        stuck = solver.t < times[-1] and not solver.t - solver.t_old > SMALLEST_STEP * abs(solver.t)
        if trouble or stuck or not np.isfinite(solver.y).all():
            raise FloatingPointError(
                f"no finite solution beyond t={solver.t:g} from state {start.tolist()}: "
                "the implicit solver's steps became too small or its states grew without bound"
            )
        passed = int(np.searchsorted(times, solver.t, side="right"))
        if passed > reached:
            states[reached:passed] = solver.dense_output()(times[reached:passed]).T
            reached = passed
    return states
