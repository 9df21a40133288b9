"""Steps of stochastic differential equations dx = a(x) dt + b(x) dW in Ito's sense, with a noise for each channel.

Kloeden and Platen, "Numerical Solution of Stochastic Differential Equations", 1992, sections 10.2 and 10.3.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

VectorField = Callable[[Tensor], Tensor]
Width = float | Tensor  # of a step: one for all states, or `[batch, 1]`


def euler_maruyama(
    drift: VectorField,
    diffusion: VectorField,
    x: Float[Tensor, "batch dim"],
    h: Width,
    increment: Float[Tensor, "batch dim"],
) -> Float[Tensor, "batch dim"]:
    """Strong order 1/2; 1 where the diffusion is the same everywhere."""
    return x + h * drift(x) + diffusion(x) * increment


def milstein(
    drift: VectorField,
    diffusion: VectorField,
    x: Float[Tensor, "batch dim"],
    h: Width,
    increment: Float[Tensor, "batch dim"],
) -> Float[Tensor, "batch dim"]:
    """Strong order 1. The diffusion of a channel depends on that channel alone."""
    noise = diffusion(x)
    pushed: Any = torch.func.jvp(diffusion, (x,), (noise,))
    correction = pushed[1]  # b b', since the derivative of b is diagonal
    return x + h * drift(x) + noise * increment + correction * (increment**2 - h) / 2
