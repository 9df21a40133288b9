"""A pendulum in Cartesian coordinates: a differential-algebraic equation, whose constraint is kept."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.special import ellipk
from torch import Tensor

from systems.base import Flow, Solution, States, Times, require_positive
from systems.published import Orbit, Published
from systems.solvers.dop853 import TOLERANCE, integrate

CLOSE = 1e-3  # by how much an initial state may break the constraint, relative to the length: digests round states


@dataclass(frozen=True)
class ConstrainedPendulum(Flow):
    """A point mass on a rod, given by its place and velocity; state (x, y, x', y'), hanging down at y = -length.

    x'' = -tension x,  y'' = -tension y - gravity,  x^2 + y^2 = length^2. The tension is found by differentiating the
    constraint twice (the index is reduced from 3 to 1): tension = (x'^2 + y'^2 - gravity y) / length^2. Solutions of
    what is left keep x x' + y y' = 0 and, with it, the length, but for the errors of a solver or a model. One timescale
    is the period of small oscillations.

    Hairer and Wanner, "Solving Ordinary Differential Equations II", 1996, chapter VII.
    """

    length: float = 1.0
    gravity: float = 9.81

    timescale_name = "period"
    published = (
        Published(
            "4af3eed710b9",
            orbit=Orbit(
                4 * float(ellipk(0.5)) / sqrt(9.81),  # let go at the height of the pivot
                (1.0, 0.0, 0.0, 0.0),
                "closed form",
                accuracy=1e-9,
            ),
        ),
    )

    def __post_init__(self) -> None:
        require_positive(self, "length", "gravity", otherwise="it does not swing otherwise")

    @property
    def dim(self) -> int:
        return 4

    @property
    def timescale(self) -> float:
        return 2 * pi * sqrt(self.length / self.gravity)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 4"]:
        """Up to 2.4 radians aside, with a rate of up to 1 radian in a unit of time: too little to turn over."""
        angle, rate = rng.uniform(-2.4, 2.4, count), rng.uniform(-1.0, 1.0, count)
        return self._place(angle, rate)

    def _place(self, angle: Float64[np.ndarray, "*batch"], rate: Float64[np.ndarray, "*batch"]) -> np.ndarray:
        sine, cosine = self.length * np.sin(angle), self.length * np.cos(angle)
        return np.stack([sine, -cosine, rate * cosine, rate * sine], axis=-1)

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        u, v, u_speed, v_speed = x.unbind(-1)
        tension = (u_speed**2 + v_speed**2 - self.gravity * v) / self.length**2
        return torch.stack([u_speed, v_speed, -tension * u, -tension * v - self.gravity], dim=-1)

    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        """By the angle and its rate, in which no constraint is left, so that the length is kept to rounding.

        Raises ValueError where an initial state breaks the constraint.
        """
        if abs(self.stretch(torch.from_numpy(initial))).max() > CLOSE * self.length:
            raise ValueError(f"states of {self} must be {self.length} from the pivot, and move across the rod")
        x, y, x_speed, y_speed = np.moveaxis(initial, -1, 0)
        polar = np.stack([np.arctan2(x, -y), (x * y_speed - y * x_speed) / self.length**2], axis=-1)

        def rates(t: Tensor, polar: Float[Tensor, "batch 2"]) -> Float[Tensor, "batch 2"]:
            angle, rate = polar.unbind(-1)
            return torch.stack([rate, -self.gravity / self.length * torch.sin(angle)], dim=-1)

        angle, rate = np.moveaxis(integrate(rates, polar, times, tolerance), -1, 0)
        return self._place(angle, rate)

    def project(self, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        """The nearest place at the rod's length, and the part of the velocity that is across the rod."""
        place, speed = x[..., :2], x[..., 2:]
        along = place / torch.linalg.vector_norm(place, dim=-1, keepdim=True)
        across = speed - (speed * along).sum(dim=-1, keepdim=True) * along
        return torch.cat([self.length * along, across], dim=-1)

    def accurate_steps(self, x: Float[Tensor, "*batch 4"], interval: float, count: int) -> Tensor:
        return self.project(super().accurate_steps(x, interval, count))

    def stretch(self, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 2"]:
        """By how much a state breaks the constraint and its derivative: relative error of length, speed along it."""
        place, speed = x[..., :2], x[..., 2:]
        reach = torch.linalg.vector_norm(place, dim=-1)
        return torch.stack([reach / self.length - 1, (place * speed).sum(dim=-1) / reach], dim=-1)

    def invariant(self, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """Kinetic and potential energy, 0 where it hangs at rest; no solution changes it."""
        return (x[..., 2] ** 2 + x[..., 3] ** 2) / 2 + self.gravity * (x[..., 1] + self.length)
