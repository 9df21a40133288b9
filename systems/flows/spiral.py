"""Planar spirals: a linear field and the cubic one of the neural-ODE literature."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow
from systems.published import Orbit, Published

TURN = 1.31778  # time of the first turn of the cubic spiral from (2, 0) at the default parameters


@dataclass(frozen=True)
class Spiral(Flow):
    """A damped rotation of the plane, in which the coordinates count by some power of theirs."""

    damping: float
    rotation: float

    power: ClassVar[int]
    timescale_name = "period"

    def __post_init__(self) -> None:
        if isinstance(self.rotation, (int, float)) and self.rotation == 0:
            raise ValueError(
                f"{type(self).__name__} needs a rotation other than 0: its timescale is the time of a turn"
            )

    @property
    def dim(self) -> int:
        return 2

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """States with random direction at radius 0.5 to 2; without sines, whose last digit differs between machines."""
        square = rng.uniform(-1.0, 1.0, (64 + 4 * count, 2))
        length = np.sqrt((square**2).sum(axis=-1, keepdims=True))
        directions = (square / length)[length[:, 0] <= 1]
        return rng.uniform(0.5, 2.0, (count, 1)) * directions[:count]

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        u, v = (x if self.power == 1 else x * x * x).unbind(-1)
        return torch.stack([-self.damping * u - self.rotation * v, self.rotation * u - self.damping * v], dim=-1)


@dataclass(frozen=True)
class LinearSpiral(Spiral):
    """Damped rotation.

    x' = -damping x - rotation y,  y' = rotation x - damping y. One timescale is one turn.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018 (the authors' example, with 0.1 and 1).
    """

    damping: float = 0.1
    rotation: float = 1.0

    power = 1
    published = (Published("a0a1fd4a0e3e", orbit=Orbit(2 * pi, (1.0, 0.0), "closed form", accuracy=1e-9)),)

    @property
    def timescale(self) -> float:
        return 2 * pi / abs(self.rotation)


@dataclass(frozen=True)
class CubicSpiral(Spiral):
    """Spiral whose speed grows with the cube of the radius: fast far out, ever slower near the origin.

    x' = -damping x^3 - rotation y^3,  y' = rotation x^3 - damping y^3. One timescale is the first turn from (2, 0).

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018 (the authors' example, with 0.1 and 2).
    """

    damping: float = 0.1
    rotation: float = 2.0

    power = 3
    published = (Published("0b32241950d3", orbit=Orbit(TURN, (2.0, 0.0), "first turn", channel=1)),)

    @property
    def timescale(self) -> float:
        return TURN * 2.0 / abs(self.rotation)
