"""The Hindmarsh-Rose neuron: chaotic bursts of spikes."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class HindmarshRose(Chaotic):
    """A membrane's potential, a fast current and a slow one, which starts and ends bursts.

    x' = y - x^3 + 3 x^2 - z + current,  y' = 1 - 5 x^2 - y,  z' = slowness (4 (x + 8 / 5) - z).

    Hindmarsh and Rose, "A model of neuronal bursting using three coupled first order differential equations",
    Proceedings of the Royal Society B 221, 1984.
    """

    current: float = 3.25
    slowness: float = 0.006

    largest_exponent = 0.0133
    start = (-0.44, -0.49, 3.26)
    published = (
        Published(
            "acc25ca5d25e", attractor=Attractor((0.0133, 0.0004, TWO_ORBITS), states=200, time=20.0, step=1 / 2048)
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        square = u * u
        potential = v - u * square + 3 * square - w + self.current
        return torch.stack([potential, 1 - 5 * square - v, self.slowness * (4 * (u + 1.6) - w)], dim=-1)
