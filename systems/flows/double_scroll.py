"""The double scroll by a switch: chaos of a linear circuit with a comparator."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import KnownExponent, SpectrumMap, require_positive
from systems.hybrid import Hybrid
from systems.published import Attractor, Published

TRANSIENT = 40.0  # time units, after which all states are on the attractor


@dataclass(frozen=True)
class DoubleScroll(KnownExponent, Hybrid):
    """Two scrolls as of Chua's circuit, with a switch in the place of its diode.

    x' = y,  y' = z,  z' = -a (x + y + z - sign(x)): linear on either side of x = 0, where the velocity jumps.
    One timescale is the Lyapunov time at the default parameters; at others it is as long, but no Lyapunov time.

    Elwakil, Salama and Kennedy, "A system for chaos generation and its implementation in monolithic form", IEEE
    International Symposium on Circuits and Systems, 2000.
    """

    a: float = 0.8

    largest_exponent = 0.0765  # by how fast 400 pairs of neighbours part over 100 time units
    published = (
        Published(
            "752e58a508dc",
            attractor=Attractor((largest_exponent, 0.004, "neighbours"), states=300, time=12.0),
        ),
    )

    def __post_init__(self) -> None:
        require_positive(self, "a", otherwise="there is no attractor")

    @property
    def dim(self) -> int:
        return 3

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 3"]:
        start = torch.from_numpy(rng.uniform(-0.2, 0.2, (count, 3)))
        return self.accurate_steps(start, TRANSIENT, 200).numpy()

    def event(self, x: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        return x[..., 0]

    def velocity_on(self, side: Any, x: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        u, v, w = x.unbind(-1)
        return torch.stack([v, w, -self.a * (u + v + w - side)], dim=-1)

    @property
    def spectrum_map(self) -> SpectrumMap:
        """Steps whose derivatives know that neighbours switch at other moments."""
        return SpectrumMap(lambda x: self.accurate_steps(x, 1.0, 12), duration=1.0, leading=3)
