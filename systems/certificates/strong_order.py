"""How fast numerical paths of a stochastic system approach the true one as their steps become shorter."""

from collections.abc import Callable
from math import log2

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from systems.solvers.stochastic import VectorField, Width, euler_maruyama, milstein
from systems.stochastic import Stochastic

PATHS = 400
FINEST = 8192  # steps of the path that the others are compared with
COARSE = (32, 64, 128, 256)  # steps of these
DURATION = 0.25  # timescales

Scheme = Callable[[VectorField, VectorField, Tensor, Width, Tensor], Tensor]
SCHEMES: dict[str, Scheme] = {"Euler-Maruyama": euler_maruyama, "Milstein": milstein}


def theoretical_order(system: Stochastic, scheme: str) -> float:
    """The strong order of a scheme: that of Euler and Maruyama depends on whether the noise is additive."""
    return 1.0 if system.additive or scheme == "Milstein" else 0.5


def strong_order(system: Stochastic, scheme: str, seed: int = 0) -> float:
    """The power of the step with which the mean error at the end of a path falls, by a line through four steps.

    The path that errors are measured from is the system's own, on the same Brownian motion in the finest steps.
    """
    rng = np.random.default_rng(seed)
    start = torch.from_numpy(system.initial_states(PATHS, rng))
    duration = DURATION * system.timescale
    increments = torch.from_numpy(rng.standard_normal((FINEST, PATHS, system.dim))) * (duration / FINEST) ** 0.5
    true = _end(system.step, start, duration, increments)
    method = SCHEMES[scheme]
    errors = [
        (_end(lambda *given: method(system.drift, system.diffusion, *given), start, duration, driven) - true)
        .abs()
        .mean()
        .item()
        for driven in (increments.unflatten(0, (count, -1)).sum(dim=1) for count in COARSE)
    ]
    return -float(np.polyfit([log2(count) for count in COARSE], np.log2(errors), 1)[0])


def _end(
    step: Callable[[Tensor, Width, Tensor], Tensor],
    x: Float64[Tensor, "batch dim"],
    duration: float,
    increments: Float64[Tensor, "steps batch dim"],
) -> Float64[Tensor, "batch dim"]:
    for increment in increments:
        x = step(x, duration / len(increments), increment)
    return x
