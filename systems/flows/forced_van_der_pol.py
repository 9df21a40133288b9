"""The forced Van der Pol oscillator: chaos from a beat of two rhythms."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic, turning
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class ForcedVanDerPol(Chaotic):
    """A relaxation oscillator, driven by a cosine.

    x' = v,  v' = mu (1 - x^2) v - x + force c,  and the drive (c, s), which turns at `frequency` on the unit circle.
    The drive is two variables on a circle, which attracts; forecasts are not scored on them.

    Van der Pol and Van der Mark, "Frequency demultiplication", Nature 120, 1927; at the parameters of Sprott,
    "Chaos and time-series analysis", 2003.
    """

    mu: float = 3.0
    force: float = 5.0
    frequency: float = 1.788

    largest_exponent = 0.1932
    start = (-1.64, 0.26, 0.92, 0.38)
    published = (
        Published(
            "242ac6e6a7dd", attractor=Attractor((0.1932, 0.006, SPROTT), (2.0937, 0.004, SPROTT), states=400, time=30.0)
        ),
    )

    @property
    def scored(self) -> int:
        return 2

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 4"]) -> Inexact[Tensor, "*batch 4"]:
        place, speed, c, s = x.unbind(-1)
        acceleration = self.mu * (1 - place * place) * speed - place + self.force * c
        return torch.stack([speed, acceleration, *turning(c, s, self.frequency)], dim=-1)
