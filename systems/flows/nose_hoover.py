"""The Nose-Hoover oscillator: a chaotic sea about islands of order."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.base import Integrator
from systems.flows.chaotic import Chaotic
from systems.published import SPROTT, Attractor, Published
from systems.solvers.dop853 import integrate


@dataclass(frozen=True)
class NoseHoover(Chaotic):
    """An oscillator in a bath of heat; it runs backwards as well, and volumes neither grow nor shrink in the mean.

    x' = y,  y' = -x + y z,  z' = temperature - y^2.

    Hoover, "Canonical dynamics: equilibrium phase-space distributions", Physical Review A 31, 1985; case A of Sprott,
    "Some simple chaotic flows", Physical Review E 50, 1994.
    """

    temperature: float = 1.0

    largest_exponent = 0.0139
    start = (0.0, 5.0, 0.0)
    # Longer runs than of other systems: near its islands a trajectory stays ordered for dozens of Lyapunov times.
    published = (Published("68ba79351a43", attractor=Attractor((0.0139, 0.0012, SPROTT), states=400, time=150.0)),)

    @property
    def integrator(self) -> Integrator:
        """To a hundredth of the tolerance: a Lyapunov time is a dozen turns, in which errors add up."""
        return lambda velocity, initial, times, tolerance: integrate(velocity, initial, times, tolerance / 100)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([v, v * w - u, self.temperature - v * v], dim=-1)
