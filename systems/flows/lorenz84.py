"""The Lorenz-84 system: the weather of a planet in three variables."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Lorenz84(Chaotic):
    """A westerly current, and the two phases of the waves that it drives.

    x' = -y^2 - z^2 - a x + a forcing,  y' = x y - b x z - y + contrast,  z' = b x y + x z - z.

    Lorenz, "Irregularity: a fundamental property of the atmosphere", Tellus A 36, 1984.
    """

    a: float = 0.25
    b: float = 4.0
    forcing: float = 8.0
    contrast: float = 1.0  # of temperatures, between oceans and continents

    largest_exponent = 0.167
    start = (1.25, 1.18, 1.43)
    published = (Published("35c18dcd65b2", attractor=Attractor((0.167, 0.004, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        current = self.a * (self.forcing - u) - v * v - w * w
        return torch.stack([current, u * v - self.b * u * w - v + self.contrast, self.b * u * v + u * w - w], dim=-1)
