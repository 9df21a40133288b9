"""Rikitake's dynamo: the irregular reversals of a planet's magnetic field."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Rikitake(Chaotic):
    """Two coupled disks that turn in each other's magnetic fields.

    x' = z y - friction x,  y' = (z - a) x - friction y,  z' = 1 - x y.

    Rikitake, "Oscillations of a system of disk dynamos", Mathematical Proceedings of the Cambridge Philosophical
    Society 54, 1958.
    """

    friction: float = 2.0
    a: float = 5.0

    largest_exponent = 0.1279
    start = (0.44, 0.25, 7.39)
    published = (Published("fdaff6674a8b", attractor=Attractor((0.1279, 0.0015, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([w * v - self.friction * u, (w - self.a) * u - self.friction * v, 1 - u * v], dim=-1)
