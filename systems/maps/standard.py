"""The standard map: a kicked rotator, whose phase space keeps its area."""

from dataclasses import dataclass
from math import log, pi

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import KnownExponent, Map
from systems.published import Attractor, Published

CHIRIKOV = "Chirikov 1979"  # "A universal instability of many-dimensional oscillator systems", Physics Reports 52


@dataclass(frozen=True)
class StandardMap(KnownExponent, Map):
    """A rotator that is kicked once a turn: its momentum and angle, both in [0, 2 pi).

    p -> p + kick sin(angle),  angle -> angle + p, of the new p. At the default kick all orbits but a few are chaotic.
    One timescale is the Lyapunov time there, 1 / log(kick / 2); at others it is as long, but no Lyapunov time.

    Chirikov, "A universal instability of many-dimensional oscillator systems", Physics Reports 52, 1979.
    """

    kick: float = 10.0

    largest_exponent = log(5)
    published = (
        Published("7759730337ee", attractor=Attractor((largest_exponent, 0.02, CHIRIKOV), states=400, time=100.0)),
    )

    @property
    def dim(self) -> int:
        return 2

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        return rng.uniform(0.0, 2 * pi, (count, 2))

    def step(self, x: Inexact[Tensor, "*batch 2"]) -> Inexact[Tensor, "*batch 2"]:
        momentum, angle = x.unbind(-1)
        momentum = momentum + self.kick * torch.sin(angle)
        return torch.remainder(torch.stack([momentum, angle + momentum], dim=-1), 2 * pi)
