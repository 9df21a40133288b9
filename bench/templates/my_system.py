"""MySystem: a system to begin with. As it stands, it is a linear oscillator."""

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems import Flow
from systems.published import Orbit, Published


@dataclass(frozen=True)
class MySystem(Flow):
    """One sentence that says what moves, and why.

    x' = y,  y' = -x - damping y. One timescale is the period without damping.

    Author, "Title", year.
    """

    damping: float = 0.0  # per unit of time

    timescale_name = "period"  # or "Lyapunov time" of a chaotic system, or "timescale"
    published = (Published(orbit=Orbit(2 * pi, (0.0, 1.0), "closed form")),)  # what `bench doctor` holds it to

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 2 * pi

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        return rng.uniform(-1.0, 1.0, (count, 2))

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 2"]) -> Inexact[Tensor, "*batch 2"]:
        position, speed = x.unbind(-1)
        return torch.stack([speed, -position - self.damping * speed], dim=-1)
