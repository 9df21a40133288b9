"""Robertson's reactions: the standard stiff problem, whose rates lie nine orders of magnitude apart."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow, Integrator, require_positive
from systems.published import Published
from systems.solvers.lsoda import integrate_stiff


@dataclass(frozen=True)
class Robertson(Flow):
    """Three species of an autocatalytic reaction; their sum stays as it is.

    y1' = -k1 y1 + k3 y2 y3,  y2' = k1 y1 - k2 y2^2 - k3 y2 y3,  y3' = k2 y2^2.
    Nothing comes back, and every decade of time looks like the one before. One timescale is 1 / k1, the mean life
    of the first species.

    Robertson, "The solution of a set of reaction rate equations", in: Numerical analysis, an introduction, 1966.
    """

    k1: float = 0.04
    k2: float = 3e7
    k3: float = 1e4

    timescale_name = "timescale"
    published = (Published("3eb8536b3c15"),)

    def __post_init__(self) -> None:
        require_positive(self, "k1", "k2", "k3", otherwise="nothing would react")

    @property
    def dim(self) -> int:
        return 3

    @property
    def timescale(self) -> float:
        return 1.0 / self.k1

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 3"]:
        """Mixtures of total 1, between the start and half of the way, where the short-lived second is in balance."""
        y1 = rng.uniform(0.5, 1.0, count)
        supply = self.k1 * y1
        loss = self.k3 * (1 - y1)
        y2 = 2 * supply / (loss + np.sqrt(loss**2 + 4 * self.k2 * supply))
        return np.stack([y1, y2, 1 - y1 - y2], axis=-1)

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        y1, y2, y3 = x.unbind(-1)
        slow = self.k1 * y1
        fast = self.k2 * y2 * y2
        back = self.k3 * y2 * y3
        return torch.stack([back - slow, slow - fast - back, fast], dim=-1)

    @property
    def integrator(self) -> Integrator:
        return integrate_stiff
