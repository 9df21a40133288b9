"""The logistic map: chaos in one dimension."""

from dataclasses import dataclass
from math import log

import numpy as np
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import KnownExponent, Map
from systems.published import CLOSED_FORM, Attractor, Published


@dataclass(frozen=True)
class LogisticMap(KnownExponent, Map):
    """A population that is limited by itself.

    x -> r x (1 - x). One timescale is the Lyapunov time at r = 4; at others it is as long, but no Lyapunov time.

    May, "Simple mathematical models with very complicated dynamics", Nature 261, 1976.
    """

    r: float = 4.0

    largest_exponent = log(2)
    published = (
        Published("c98e22913815", attractor=Attractor((largest_exponent, 0.005, CLOSED_FORM), states=200, time=200.0)),
    )

    @property
    def dim(self) -> int:
        return 1

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 1"]:
        return self.solve(rng.uniform(0.1, 0.9, (count, 1)), np.array([0.0, 100.0]))[:, -1]

    def step(self, x: Inexact[Tensor, "*batch 1"]) -> Inexact[Tensor, "*batch 1"]:
        return self.r * x * (1 - x)
