"""The Van der Pol oscillator: a limit cycle, from nearly harmonic to stiff."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.integrate import solve_ivp
from torch import Tensor

from systems.base import Flow


@dataclass(frozen=True)
class VanDerPol(Flow):
    """Relaxation oscillator in Lienard's form.

    x' = mu (x - x^3 / 3 - y),  y' = x / mu: the same x as x'' = mu (1 - x^2) x' - x.
    One timescale is the period of the limit cycle at this mu.

    Van der Pol, "On relaxation-oscillations", Philosophical Magazine 2, 1926.
    """

    mu: float = 1.0

    timescale_name = "period"

    def __post_init__(self) -> None:
        if isinstance(self.mu, (int, float)) and not self.mu > 0:
            raise ValueError(f"VanDerPol needs mu > 0, but mu={self.mu}: it has no limit cycle otherwise")

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return _period(self.mu)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """States in and around the limit cycle."""
        return rng.uniform([-2.5, -1.5], [2.5, 1.5], (count, 2))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        return torch.stack([self.mu * (u - u * u * u / 3 - v), u / self.mu], dim=-1)


@lru_cache
def _period(mu: float) -> float:
    """Period of the limit cycle to six digits: time between two upward crossings of x = 0."""

    def rate(t: float, state: np.ndarray) -> list[float]:
        x, y = state
        return [mu * (x - x**3 / 3 - y), x / mu]

    def crossing(t: float, state: np.ndarray) -> float:
        return state[0]

    crossing.direction = 1  # type: ignore[attr-defined]
    transient = 8 * (7 / min(mu, 1.0) + 2 * mu)
    solution = solve_ivp(rate, (0, transient), [2.0, 0.0], "LSODA", rtol=1e-11, atol=1e-12, events=crossing)
    times = solution.t_events[0]
    return float(f"{times[-1] - times[-2]:.6g}")
