"""The double pendulum: the simplest mechanical chaos."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow, require_positive
from systems.published import LINEARISED, Orbit, Published

PERIOD = 2 * pi * sqrt((2 + sqrt(2)) / (2 * 9.81))  # at the default parameters


@dataclass(frozen=True)
class DoublePendulum(Flow):
    """Two point masses on weightless rods without friction; state (angle 1, angle 2, and their rates), 0 hanging down.

    With d = angle 1 - angle 2, and w for the rates:
    (m1 + m2) l1 w1' + m2 l2 w2' cos d = -m2 l2 w2^2 sin d - (m1 + m2) g sin(angle 1),
    l2 w2' + l1 w1' cos d = l1 w1^2 sin d - g sin(angle 2).
    One timescale is the period of small oscillations in phase.

    Landau and Lifshitz, "Mechanics", 1960, section 5.
    """

    mass1: float = 1.0
    mass2: float = 1.0
    length1: float = 1.0
    length2: float = 1.0
    gravity: float = 9.81

    timescale_name = "period"
    published = (
        Published("1f4a3ed69e88", orbit=Orbit(PERIOD, (1e-3, 1e-3 * sqrt(2), 0, 0), LINEARISED, accuracy=1e-6)),
    )

    def __post_init__(self) -> None:
        names = "mass1", "mass2", "length1", "length2", "gravity"
        require_positive(self, *names, otherwise="it does not swing otherwise")

    @property
    def dim(self) -> int:
        return 4

    @property
    def timescale(self) -> float:
        ratio = self.mass1 / (self.mass1 + self.mass2)
        lengths = self.length1 + self.length2
        root = sqrt(lengths**2 - 4 * ratio * self.length1 * self.length2)
        return 2 * pi * sqrt((lengths + root) / (2 * self.gravity))

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 4"]:
        """Almost at rest, up to 1.2 radians aside: too little, at equal masses and lengths, to turn over."""
        reach = np.array([1.2, 1.2, 0.1, 0.1])
        return rng.uniform(-reach, reach, (count, 4))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        angle1, angle2, rate1, rate2 = x.unbind(-1)
        sine, cosine = torch.sin(angle1 - angle2), torch.cos(angle1 - angle2)
        share = self.mass2 / (self.mass1 + self.mass2)
        push1 = -share * self.length2 * rate2**2 * sine - self.gravity * torch.sin(angle1)
        push2 = self.length1 * rate1**2 * sine - self.gravity * torch.sin(angle2)
        left = 1 - share * cosine**2
        acceleration1 = (push1 - share * cosine * push2) / (self.length1 * left)
        acceleration2 = (push2 - cosine * push1) / (self.length2 * left)
        return torch.stack([rate1, rate2, acceleration1, acceleration2], dim=-1)

    def invariant(self, x: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """Kinetic and potential energy, 0 where it hangs at rest; no solution changes it."""
        angle1, angle2, rate1, rate2 = x.unbind(-1)
        speed1, speed2 = self.length1 * rate1, self.length2 * rate2
        product = speed1 * speed2 * torch.cos(angle1 - angle2)
        height1 = self.length1 * (1 - torch.cos(angle1))
        height2 = height1 + self.length2 * (1 - torch.cos(angle2))
        kinetic = self.mass1 * speed1**2 + self.mass2 * (speed1**2 + speed2**2 + 2 * product)
        return kinetic / 2 + self.gravity * (self.mass1 * height1 + self.mass2 * height2)
