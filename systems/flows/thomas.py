"""Thomas' cyclically symmetric attractor: a walk through a lattice of steady states."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class Thomas(Chaotic):
    """A damped particle that three sines drive round in a circle.

    x' = sin y - damping x, and so on in a circle.

    Thomas, "Deterministic chaos seen in terms of feedback circuits", International Journal of Bifurcation
    and Chaos 9, 1999.
    """

    damping: float = 0.18

    largest_exponent = 0.0349
    start = (-3.96, -1.28, 0.8)
    published = (
        Published(
            "5c8890476eae",
            attractor=Attractor((0.0349, 0.0012, SPROTT), (2.0607, 0.003, SPROTT), states=400, time=30.0, step=1 / 256),
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        return torch.sin(torch.roll(x, -1, dims=-1)) - self.damping * x
