"""The Henon-Heiles system: order and chaos side by side at one energy."""

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow
from systems.published import LINEARISED, Orbit, Published

ENERGY = 1 / 8  # where a good part of the orbits is chaotic and none escapes, which begins at 1 / 6


@dataclass(frozen=True)
class HenonHeiles(Flow):
    """A star in the meridian plane of a galaxy; conservative, with state (x, y, x', y').

    x'' = -x - 2 coupling x y,  y'' = -y - coupling (x^2 - y^2). One timescale is the period of small oscillations.

    Henon and Heiles, "The applicability of the third integral of motion", Astronomical Journal 69, 1964.
    """

    coupling: float = 1.0

    timescale_name = "period"
    published = (Published("3023dc24a3c7", orbit=Orbit(2 * pi, (1e-3, 0.0, 0.0, 0.0), LINEARISED, accuracy=1e-6)),)

    def __post_init__(self) -> None:
        if isinstance(self.coupling, (int, float)) and self.coupling == 0:
            raise ValueError("HenonHeiles needs a coupling other than 0: its scale is set by it")

    @property
    def dim(self) -> int:
        return 4

    @property
    def timescale(self) -> float:
        return 2 * pi

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 4"]:
        """Orbits of energy 1 / 8, in units of coupling^-2, from random places near the origin in random directions."""
        x, y = place = rng.uniform(-0.2, 0.2, (2, count))
        direction = rng.standard_normal((2, count))
        potential = (x * x + y * y) / 2 + x * x * y - y * y * y / 3
        speed = np.sqrt(2 * (ENERGY - potential) / (direction**2).sum(axis=0))
        return np.concatenate([place, speed * direction]).T / self.coupling

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        u, v, u_speed, v_speed = x.unbind(-1)
        u_force = -u - 2 * self.coupling * u * v
        v_force = -v - self.coupling * (u * u - v * v)
        return torch.stack([u_speed, v_speed, u_force, v_force], dim=-1)

    def invariant(self, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """Kinetic and potential energy, which no solution changes."""
        u, v, u_speed, v_speed = x.unbind(-1)
        quadratic = (u_speed**2 + v_speed**2 + u**2 + v**2) / 2
        return quadratic + self.coupling * (u * u * v - v * v * v / 3)
