"""Chua's circuit: a double scroll of three linear pieces."""

from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from systems.flows.chaotic import Chaotic
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class Chua(Chaotic):
    """An electronic oscillator whose only nonlinear part is a resistor of three linear pieces.

    x' = alpha (y - x + f(x)),  y' = x - y + z,  z' = -beta y,
    with f of slope `inner` between -1 and 1, and of slope `outer` beyond.

    Matsumoto, "A chaotic attractor from Chua's circuit", IEEE Transactions on Circuits and Systems 31, 1984; in the
    form of Sprott, "Chaos and time-series analysis", 2003.
    """

    alpha: float = 9.0
    beta: float = 100 / 7
    inner: float = 8 / 7
    outer: float = 5 / 7

    largest_exponent = 0.3271
    start = (-0.9, 0.3, 1.0)
    published = (
        Published(
            "867262825660", attractor=Attractor((0.3271, 0.005, SPROTT), (2.1298, 0.005, SPROTT), states=400, time=30.0)
        ),
    )

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        current = self.outer * u + (self.inner - self.outer) / 2 * ((u + 1).abs() - (u - 1).abs())
        return torch.stack([self.alpha * (v - u + current), u - v + w, -self.beta * v], dim=-1)
