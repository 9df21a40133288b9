"""The Lorenz system: the classic chaotic flow."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import Flow, NameWhere, settle
from systems.published import SPROTT, Attractor, Published

LARGEST_EXPONENT = 0.9056  # Sprott, "Chaos and time-series analysis", 2003, at the default parameters


@dataclass(frozen=True)
class Lorenz(Flow):
    """Thermal convection truncated to three modes; chaotic at the default parameters.

    x' = sigma (y - x),  y' = x (rho - z) - y,  z' = x y - beta z.
    One timescale is the Lyapunov time at the default parameters; at others it is as long, but no Lyapunov time.

    Lorenz, "Deterministic nonperiodic flow", Journal of the Atmospheric Sciences 20, 1963.
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8.0 / 3.0

    timescale_name = NameWhere(
        "Lyapunov time", lambda system: (system.sigma, system.rho, system.beta) == (10.0, 28.0, 8.0 / 3.0)
    )
    published = (
        Published(
            "2cfae2495670",
            attractor=Attractor((LARGEST_EXPONENT, 0.005, SPROTT), (2.062, 0.005, SPROTT), states=1000, time=15.0),
        ),
    )

    @property
    def dim(self) -> int:
        return 3

    @property
    def timescale(self) -> float:
        return 1.0 / LARGEST_EXPONENT

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 3"]:
        start = np.array([0.0, 0.0, 25.0]) + rng.uniform(-10.0, 10.0, (count, 3))
        return settle(self, start, timescales=10)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([self.sigma * (v - u), u * (self.rho - w) - v, u * v - self.beta * w], dim=-1)
