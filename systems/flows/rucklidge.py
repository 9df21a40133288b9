"""The Rucklidge system: double convection."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Rucklidge(Chaotic):
    """Rolls of a fluid with two sources of buoyancy.

    x' = -friction x + drive y - y z,  y' = x,  z' = -z + y^2.

    Rucklidge, "Chaos in models of double convection", Journal of Fluid Mechanics 237, 1992.
    """

    friction: float = 2.0
    drive: float = 6.7

    largest_exponent = 0.1919
    start = (1.11, 3.42, 6.96)
    published = (Published("15ac0005f5c2", attractor=Attractor((0.1919, 0.002, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([-self.friction * u + self.drive * v - v * w, u, v * v - w], dim=-1)
