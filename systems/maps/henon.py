"""The Henon map: a strange attractor in the plane."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import KnownExponent, Map
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class HenonMap(KnownExponent, Map):
    """A plane that is bent, contracted and turned over.

    x -> 1 - a x^2 + y,  y -> b x. One timescale is the Lyapunov time at the default parameters; at others it is as
    long, but no Lyapunov time.

    Henon, "A two-dimensional mapping with a strange attractor", Communications in Mathematical Physics 50, 1976.
    """

    a: float = 1.4
    b: float = 0.3

    largest_exponent = 0.41922
    published = (
        Published(
            "884215a3ce71",
            attractor=Attractor((largest_exponent, 0.003, SPROTT), (1.25827, 0.002, SPROTT), states=400, time=100.0),
        ),
    )

    @property
    def dim(self) -> int:
        return 2

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        return self.solve(rng.uniform(-0.1, 0.1, (count, 2)), np.array([0.0, 100.0]))[:, -1]

    def step(self, x: Inexact[Tensor, "*batch 2"]) -> Inexact[Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        return torch.stack([1 - self.a * u * u + v, self.b * u], dim=-1)
