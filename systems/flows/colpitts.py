"""The Colpitts oscillator: a transistor between two capacitors and a coil."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import TWO_ORBITS, Attractor, Published


@dataclass(frozen=True)
class Colpitts(Chaotic):
    """Two voltages and a current, of which the transistor is an exponential.

    x' = g / (q (1 - k)) (1 - exp(-y) + z),  y' = g / (q k) z,  z' = -q k (1 - k) / g (x + y) - z / q.

    De Feo, Maggio and Kennedy, "The Colpitts oscillator: families of periodic solutions and their bifurcations",
    International Journal of Bifurcation and Chaos 10, 2000.
    """

    gain: float = 4.46  # g
    quality: float = 1.38  # q
    ratio: float = 0.5  # k, of the capacitors

    largest_exponent = 0.0843
    start = (-11.53, 24.42, -1.59)
    published = (Published("f0ac527005f9", attractor=Attractor((0.0843, 0.003, TWO_ORBITS), states=400, time=30.0)),)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        pace = self.gain / self.quality
        rest = 1 - self.ratio
        voltage = pace / rest * (1 - torch.exp(-v) + w)
        current = -self.ratio * rest / pace * (u + v) - w / self.quality
        return torch.stack([voltage, pace / self.ratio * w, current], dim=-1)
