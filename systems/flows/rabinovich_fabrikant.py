"""The Rabinovich-Fabrikant equations: waves in a plasma."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class RabinovichFabrikant(Chaotic):
    """Modulated waves in a medium out of equilibrium; two attractors, which a half turn takes to each other.

    x' = y (z - 1 + x^2) + gamma x,  y' = x (3 z + 1 - x^2) + gamma y,  z' = -2 z (alpha + x y).

    Rabinovich and Fabrikant, "Stochastic self-modulation of waves in nonequilibrium media", Soviet Physics
    JETP 50, 1979.
    """

    alpha: float = 1.1
    gamma: float = 0.87

    largest_exponent = 0.1981
    start = (-0.45, 1.64, 1.15)
    published = (
        Published(
            "99a5089cf065", attractor=Attractor((0.1981, 0.005, SPROTT), (2.3010, 0.006, SPROTT), states=400, time=30.0)
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        square = u * u
        first = v * (w - 1 + square) + self.gamma * u
        second = u * (3 * w + 1 - square) + self.gamma * v
        return torch.stack([first, second, -2 * w * (self.alpha + u * v)], dim=-1)
