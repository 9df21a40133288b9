"""A bouncing ball: free fall, interrupted by the floor."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import require_positive
from systems.hybrid import Hybrid
from systems.published import Orbit, Published


@dataclass(frozen=True)
class BouncingBall(Hybrid):
    """A ball above a hard floor; state (height, velocity).

    height'' = -gravity; where the height reaches 0, the velocity is multiplied by -restitution. With a restitution
    below 1 the bounces come ever sooner, and accumulate at a moment beyond which there is no solution. One timescale is
    the time between two bounces of a ball without loss that falls from a height of 1.
    """

    gravity: float = 9.81
    restitution: float = 1.0

    timescale_name = "period"
    through = False
    one_attractor = False
    published = (
        Published(
            "c06a4d78a5af", orbit=Orbit(2 * sqrt(2 / 9.81), (1.0, 0.0), "closed form", level=0.5, accuracy=1e-10)
        ),
    )

    def __post_init__(self) -> None:
        require_positive(self, "gravity", otherwise="it does not come back")
        if isinstance(self.restitution, (int, float)) and not 0 < self.restitution <= 1:
            raise ValueError(f"BouncingBall needs 0 < restitution <= 1, but restitution={self.restitution}")

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 2 * sqrt(2 / self.gravity)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """Thrown up or down from between heights of 0.4 and 1, at a speed that goes up to a fifth of a timescale's."""
        height = rng.uniform(0.4, 1.0, count)
        return np.stack([height, rng.uniform(-0.2, 0.2, count) * self.gravity * self.timescale], axis=-1)

    def event(self, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        return x[..., 0]

    def velocity_on(self, side: Any, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        speed = x[..., 1]
        return torch.stack([speed, torch.zeros_like(speed) - self.gravity], dim=-1)

    def reset(self, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        return torch.stack([0.0 * x[..., 0], -self.restitution * x[..., 1]], dim=-1)

    def invariant(self, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"] | None:
        """Kinetic and potential energy, which a ball without loss keeps."""
        return x[..., 1] ** 2 / 2 + self.gravity * x[..., 0] if self.restitution == 1 else None
