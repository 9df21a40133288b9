"""The Lotka-Volterra system: predators and prey on closed orbits."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow, require_positive
from systems.published import LINEARISED, Orbit, Published


@dataclass(frozen=True)
class LotkaVolterra(Flow):
    """Prey x and predators y; conservative, so that every initial state has its own closed orbit.

    x' = a x - b x y,  y' = -d y + g x y.
    One timescale is the period of small oscillations, 2 pi / sqrt(a d); large orbits take longer.

    Lotka, "Elements of physical biology", 1925; Volterra, Nature 118, 1926.
    """

    a: float = 1.5
    b: float = 1.0
    d: float = 3.0
    g: float = 1.0

    timescale_name = "period"
    published = (
        Published("fb0ed1c26be1", orbit=Orbit(2 * pi / sqrt(4.5), (3.0, 1.5001), LINEARISED, level=3.0, accuracy=1e-6)),
    )

    def __post_init__(self) -> None:
        require_positive(self, "a", "b", "d", "g", otherwise="its orbits are not closed otherwise")

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 2 * pi / sqrt(self.a * self.d)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """Populations about (2.5, 2.5), each within 20 %."""
        return 2.5 * rng.uniform(0.8, 1.2, (count, 2))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        prey, predators = x.unbind(-1)
        eaten = prey * predators
        return torch.stack([self.a * prey - self.b * eaten, self.g * eaten - self.d * predators], dim=-1)

    def invariant(self, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        prey, predators = x.unbind(-1)
        return self.g * prey - self.d * prey.log() + self.b * predators - self.a * predators.log()
