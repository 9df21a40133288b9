"""The Aizawa attractor: a sphere with a tunnel along its axis."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Aizawa(Chaotic):
    """A rotation about an axis, along which trajectories fall from pole to pole.

    x' = (z - b) x - d y,  y' = d x + (z - b) y,  z' = c + a z - z^3 / 3 - (x^2 + y^2) (1 + e z) + f z x^3.

    Aizawa and Uezu, "Topological aspects in chaos and in 2^k-period doubling cascade", Progress of Theoretical Physics
    67, 1982; in the form of Langford, 1984.
    """

    a: float = 0.95
    b: float = 0.7
    c: float = 0.6
    d: float = 3.5
    e: float = 0.25
    f: float = 0.1

    largest_exponent = 0.0948
    start = (-0.51, -0.02, -0.19)
    published = (Published("3dd940b03376", attractor=Attractor((0.0948, 0.0015, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        rise = self.c + self.a * w - w * w * w / 3 - (u * u + v * v) * (1 + self.e * w) + self.f * w * u * u * u
        turn = w - self.b
        return torch.stack([turn * u - self.d * v, self.d * u + turn * v, rise], dim=-1)
