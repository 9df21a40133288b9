"""Matching of derivatives: how far the Jacobian of a learned vector field is from that of the known one."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import Unsuitable
from learners.networks.fields import VectorField
from learners.networks.scales import Scales, mean_square
from systems import Dataset, Flow

APART = 1e-2  # standard deviations to either side, over which derivatives are taken

Mismatch = Callable[[Tensor], Tensor]


def jacobian_mismatch(stack: VectorField, dataset: Dataset, scales: Scales) -> Mismatch:
    """The function that gives the mean squared mismatch of J v for each replica, v a unit vector, in increments.

    The directions v are those between states of the batch, so that they lie where the data do; derivatives are central
    differences, those of the known field at time 0. Raises Unsuitable where the system's velocity is not known.

    Park, Yang and Chandramoorthy, "When are dynamical systems learned from time series data statistically accurate?",
    NeurIPS 2024.
    """
    flow, dim, step = dataset.system, scales.dim, scales.step
    if not isinstance(flow, Flow) or not dataset.is_complete:
        raise Unsuitable(
            f"NeuralODE.jacobian needs a system whose velocity is known, and all of its channels, but "
            f"{type(flow).__name__} was observed: set jacobian=0"
        )

    def known(x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        return (step * flow.velocity(0.0, scales.restore(x)) / scales.std).float()

    def mismatch(state: Float[Tensor, "seed batch state"]) -> Float[Tensor, " seed"]:
        x, others = state[..., :dim], state[..., dim:]
        apart = x.roll(x.shape[1] // 2, dims=1) - x
        along = APART * apart / torch.linalg.vector_norm(apart, dim=-1, keepdim=True).clamp(min=1e-12)
        ahead, behind = (torch.cat([x + side * along, others], dim=-1) for side in (1, -1))
        learned = stack(0.0, ahead) - stack(0.0, behind)
        return mean_square(scales.residuals(learned, known(x + along) - known(x - along))) / (2 * APART) ** 2

    return mismatch
