"""How many steps a fixed-step solver needs for its errors to stay small, and fitted equations that take so many."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.base import Unsuitable
from learners.solvers.rollout import EquationsPredictor
from systems import Dataset, Flow
from systems.configuration import label
from systems.solvers.fixed import EVALUATIONS, Velocity, rk4
from systems.solvers.handover import checked_program, is_plain

JUDGED_STATES = 4096
MOST_SUBSTEPS = 1024
MOST_OF_FITTED = 64  # substeps of fitted equations, which may be stiffer than any system
SINGLE = torch.finfo(torch.float32).eps
DOUBLE = 1e-8  # error in a sampling step that float64 forecasts are given: it grows by half after 17 Lyapunov times


def accurate_substeps(flow: Flow, dataset: Dataset, accuracy: float = SINGLE) -> int:
    """Steps within one sampling step, a power of two, that leave an error below `accuracy`, or single precision.

    Raises Unsuitable where 1,024 steps do not.
    """
    count = fewest_substeps(flow.accurate_steps, dataset, max(accuracy, SINGLE), MOST_SUBSTEPS)
    if count is None:
        raise Unsuitable(
            f"{label(flow)} is too stiff for explicit steps: {MOST_SUBSTEPS} of them a sample err by more than "
            f"{accuracy:.1g} standard deviations"
        )
    return count


def steps_of(flow: Flow, dataset: Dataset) -> Callable[[Tensor, float, int], Tensor]:
    """The flow's `accurate_steps`, by compiled code where its velocity is a program of sums, products and quotients."""
    x = dataset.train.states[:, 0].numpy(force=True)
    own = type(flow).accurate_steps is not Flow.accurate_steps
    program = None if own else checked_program(flow.velocity, np.zeros(len(x)), x)

    def steps(x: Float[Tensor, "batch dim"], interval: float, count: int) -> Float[Tensor, "batch dim"]:
        if program is None or not is_plain(x, torch.float32, torch.float64):
            return flow.accurate_steps(x, interval, count)
        from systems.solvers import fixed_kernel  # half a second for numba, and seconds where it is to be compiled

        return fixed_kernel.steps(program, x, interval, count)

    return steps


def fewest_substeps(
    steps: Callable[[Tensor, float, int], Tensor], dataset: Dataset, accuracy: float, most: int
) -> int | None:
    """The lowest power of two of steps within one sampling step that leaves an error below `accuracy`.

    Judged in float64 on training states: halving the steps again changes them, root mean square in standard deviations,
    by less. None where `most` steps do not.

    Args:
        steps: takes states over an interval in so many steps.
    """
    states = dataset.train.states.flatten(0, 1)
    states = states[:: -(-len(states) // JUDGED_STATES)]
    coarse = steps(states, dataset.step, 1)
    count = 1
    while count < most:
        fine = steps(states, dataset.step, 2 * count)
        if ((fine - coarse) / dataset.std).square().mean().sqrt() < accuracy:
            return count
        coarse = fine
        count = 2 * count
    return None


def fitted_equations(
    velocity: Velocity, dataset: Dataset, weights: Mapping[str, Tensor], parameters: int
) -> EquationsPredictor:
    """A predictor that integrates fitted equations in float64, by steps of rk4 whose error does not limit forecasts.

    Their number follows from the sampling step and from how stiff the equations are, up to 64 a sample.
    """

    def advance(x: Float64[Tensor, "batch dim"], time: float, count: int = 1) -> Float64[Tensor, "batch dim"]:
        for _ in range(count):
            x = rk4(velocity, x, time / count)
        return x

    with torch.no_grad():
        substeps = fewest_substeps(advance, dataset, DOUBLE, MOST_OF_FITTED) or MOST_OF_FITTED
    return EquationsPredictor(advance, dataset.step / substeps, EVALUATIONS["rk4"], parameters, weights)
