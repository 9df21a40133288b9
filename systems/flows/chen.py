"""The Chen system: a relative of Lorenz' that no change of coordinates makes one."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class Chen(Chaotic):
    """Two wings, which trajectories leave more often than those of Lorenz'.

    x' = a (y - x),  y' = (c - a) x - x z + c y,  z' = x y - b z.

    Chen and Ueta, "Yet another chaotic attractor", International Journal of Bifurcation and Chaos 9, 1999.
    """

    a: float = 35.0
    b: float = 3.0
    c: float = 28.0

    largest_exponent = 2.0272
    start = (-0.7, 0.1, 17.15)
    published = (
        Published(
            "a41d9a1b5401", attractor=Attractor((2.0272, 0.03, SPROTT), (2.1686, 0.005, SPROTT), states=400, time=30.0)
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([self.a * (v - u), (self.c - self.a) * u - u * w + self.c * v, u * v - self.b * w], dim=-1)
