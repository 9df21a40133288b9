"""The Arneodo system: a jerk with one cubic term."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Arneodo(Chaotic):
    """The third derivative of a position, given by those below it; two attractors, each the other's mirror image.

    x' = y,  y' = z,  z' = a x - b y - z - x^3.

    Arneodo, Coullet and Tresser, "Occurrence of strange attractors in three-dimensional Volterra equations", Physics
    Letters A 79, 1980.
    """

    a: float = 5.5
    b: float = 3.5

    largest_exponent = 0.2363
    start = (-2.83, 3.4, 8.97)
    published = (Published("df29851f5d9d", attractor=Attractor((0.2363, 0.003, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([v, w, self.a * u - self.b * v - w - u * u * u], dim=-1)
