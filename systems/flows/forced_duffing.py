"""The forced Duffing oscillator: chaos in a double well."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic, turning
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class ForcedDuffing(Chaotic):
    """A damped oscillator in a double well, driven by a cosine.

    x' = v,  v' = x - x^3 - damping v + force c,  and the drive (c, s), which turns at `frequency` on the unit circle.
    The drive is two variables on a circle, which attracts; forecasts are not scored on them.

    Moon and Holmes, "A magnetoelastic strange attractor", Journal of Sound and Vibration 65, 1979; at the
    parameters of Sprott, "Chaos and time-series analysis", 2003.
    """

    damping: float = 0.25
    force: float = 0.4
    frequency: float = 1.0

    largest_exponent = 0.1571
    start = (-1.48, 0.0, -0.2, -0.98)
    published = (
        Published(
            "bfe6e541264c", attractor=Attractor((0.1571, 0.004, SPROTT), (2.3859, 0.01, SPROTT), states=400, time=30.0)
        ),
    )

    @property
    def scored(self) -> int:
        return 2

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 4"]) -> Inexact[Tensor, "*batch 4"]:
        place, speed, c, s = x.unbind(-1)
        acceleration = place - place * place * place - self.damping * speed + self.force * c
        return torch.stack([speed, acceleration, *turning(c, s, self.frequency)], dim=-1)
