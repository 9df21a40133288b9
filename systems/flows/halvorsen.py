"""Halvorsen's cyclically symmetric attractor."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class Halvorsen(Chaotic):
    """Three variables of equal rank, each driven by the square of the next.

    x' = -a x - b (y + z) - y^2, and so on in a circle.

    Sprott, "Chaos and time-series analysis", 2003.
    """

    a: float = 1.27
    b: float = 4.0

    largest_exponent = 0.7899
    start = (-3.7, -2.14, 2.96)
    published = (
        Published(
            "6885ac07d269", attractor=Attractor((0.7899, 0.016, SPROTT), (2.1717, 0.005, SPROTT), states=400, time=30.0)
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        ahead, behind = torch.roll(x, -1, dims=-1), torch.roll(x, 1, dims=-1)
        return -self.a * x - self.b * (ahead + behind) - ahead * ahead
