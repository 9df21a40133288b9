"""The Burke-Shaw system: Lorenz' equations with the signs of a mirror."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class BurkeShaw(Chaotic):
    """Two wings, folded into each other.

    x' = -s (x + y),  y' = -y - s x z,  z' = s x y + v.

    Shaw, "Strange attractors, chaotic behavior, and information flow", Zeitschrift fur Naturforschung A 36, 1981.
    """

    s: float = 10.0
    v: float = 4.272

    largest_exponent = 0.697
    start = (-0.32, 0.28, -0.1)
    published = (Published("46e68cf2f327", attractor=Attractor((0.697, 0.008, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([-self.s * (u + v), -v - self.s * u * w, self.s * u * v + self.v], dim=-1)
