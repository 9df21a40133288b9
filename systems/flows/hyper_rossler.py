"""Rossler's hyperchaos: two directions in which neighbours part."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import WOLF, Attractor, Published


@dataclass(frozen=True)
class HyperRossler(Chaotic):
    """The spiral of Rossler's with a fourth variable; two exponents are positive.

    x' = -y - z,  y' = x + a y + w,  z' = b + x z,  w' = -c z + d w.

    Rossler, "An equation for hyperchaos", Physics Letters A 71, 1979.
    """

    a: float = 0.25
    b: float = 3.0
    c: float = 0.5
    d: float = 0.05

    largest_exponent = 0.112
    start = (-40.27, 8.05, 0.07, 18.95)
    published = (
        Published(
            "507649f9dac3",
            attractor=Attractor(
                (0.111, 0.004, WOLF),
                (3.005, 0.003, WOLF),
                second=(0.0208, 0.003, WOLF),
                states=400,
                time=15.0,
                step=0.0011,  # the third variable decays at a rate of up to 150
            ),
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 4"]) -> Inexact[Tensor, "*batch 4"]:
        u, v, w, slow = x.unbind(-1)
        first = -v - w
        second = u + self.a * v + slow
        return torch.stack([first, second, self.b + u * w, self.d * slow - self.c * w], dim=-1)
