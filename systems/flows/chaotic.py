"""What chaotic flows share: a Lyapunov time that is known at the default parameters, and starts on the attractor."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from systems.base import Flow, KnownExponent
from systems.solvers.dop853 import STATISTICS_TOLERANCE

NEAR = 0.01  # of all starts to one another, before chaos parts them
TRANSIENT = (12.0, 16.0)  # timescales, of which each start takes a random number: else all begin in one phase
PULL = 2.0  # of the circle on which a drive turns; a distance from it shrinks as exp(-2 PULL t)


@dataclass(frozen=True)
class Chaotic(KnownExponent, Flow):
    """A flow with a chaotic attractor."""

    start: ClassVar[tuple[float, ...]]  # a state on the attractor

    @property
    def dim(self) -> int:
        return len(self.start)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """States that set out near each other, and had random times for the way along the attractor."""
        return along_attractor(self, self.start, count, rng)


def along_attractor(
    flow: Flow, start: tuple[float, ...], count: int, rng: np.random.Generator
) -> Float64[np.ndarray, "count dim"]:
    """States on the attractor of a flow, from near one `start`, after transients of random length."""
    initial = np.array(start) + rng.uniform(-NEAR, NEAR, (count, flow.dim))
    times = rng.uniform(*TRANSIENT, (count, 1)) * np.linspace(0.0, flow.timescale, 201)
    return flow.solve(initial, times, STATISTICS_TOLERANCE)[:, -1]


def turning(c: Tensor, s: Tensor, frequency: float) -> tuple[Tensor, Tensor]:
    """The velocity of a drive, a point (c, s) that turns on the unit circle: the phase of a forced oscillator."""
    pull = PULL * (1 - c * c - s * s)
    return pull * c - frequency * s, pull * s + frequency * c
