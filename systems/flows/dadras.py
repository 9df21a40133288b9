"""The Dadras-Momeni system: an attractor of two, three or four scrolls."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Dadras(Chaotic):
    """Scrolls whose number a parameter decides.

    x' = y - p x + q y z,  y' = r y - x z + z,  z' = s x y - h z.

    Dadras and Momeni, "A novel three-dimensional autonomous chaotic system generating two, three and four-scroll
    attractors", Physics Letters A 373, 2009.
    """

    p: float = 3.0
    q: float = 2.7
    r: float = 1.7
    s: float = 2.0
    h: float = 9.0

    largest_exponent = 0.374
    start = (4.66, 3.97, 2.75)
    published = (Published("e414a8deeee5", attractor=Attractor((0.374, 0.006, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        first = v - self.p * u + self.q * v * w
        second = self.r * v - u * w + w
        return torch.stack([first, second, self.s * u * v - self.h * w], dim=-1)
