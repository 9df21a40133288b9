"""The Rossler system: a chaotic flow with one nonlinear term."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import Flow, NameWhere, settle
from systems.published import SPROTT, Attractor, Published

LARGEST_EXPONENT = 0.0714  # Sprott, "Chaos and time-series analysis", 2003, at the default parameters


@dataclass(frozen=True)
class Rossler(Flow):
    """A spiral in the plane that folds back through the third variable.

    x' = -y - z,  y' = x + a y,  z' = b + z (x - c).
    One timescale is the Lyapunov time at the default parameters; at others it is as long, but no Lyapunov time.

    Rossler, "An equation for continuous chaos", Physics Letters A 57, 1976.
    """

    a: float = 0.2
    b: float = 0.2
    c: float = 5.7

    timescale_name = NameWhere("Lyapunov time", lambda system: (system.a, system.b, system.c) == (0.2, 0.2, 5.7))
    published = (
        Published(
            "6e8ddab8f61b",
            attractor=Attractor((LARGEST_EXPONENT, 0.003, SPROTT), (2.013, 0.005, SPROTT), states=400, time=30.0),
        ),
    )

    @property
    def dim(self) -> int:
        return 3

    @property
    def timescale(self) -> float:
        return 1.0 / LARGEST_EXPONENT

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 3"]:
        start = rng.uniform([-6.0, -6.0, 0.0], [6.0, 6.0, 1.0], (count, 3))
        return settle(self, start, timescales=15)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([-v - w, u + self.a * v, self.b + w * (u - self.c)], dim=-1)
