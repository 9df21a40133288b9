"""The Lu system: half-way from Lorenz' to Chen's."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Lu(Chaotic):
    """Two wings, between the systems of Lorenz and Chen.

    x' = a (y - x),  y' = -x z + c y,  z' = x y - b z.

    Lu and Chen, "A new chaotic attractor coined", International Journal of Bifurcation and Chaos 12, 2002.
    """

    a: float = 36.0
    b: float = 3.0
    c: float = 20.0

    largest_exponent = 1.335
    start = (8.5, 9.74, 17.22)
    published = (Published("d9f80eaf0781", attractor=Attractor((1.335, 0.03, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([self.a * (v - u), self.c * v - u * w, u * v - self.b * w], dim=-1)
