"""The Van der Pol oscillator: a limit cycle, from nearly harmonic to stiff."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.integrate import solve_ivp
from torch import Tensor

from systems.base import Flow, Integrator, require_positive
from systems.published import TWO_CODES, Orbit, Published
from systems.solvers.dop853 import integrate
from systems.solvers.lsoda import integrate_stiff

Form = Literal["lienard", "velocity"]

# Evaluations a cycle, explicit against implicit: 3,700 and 2,000 at mu = 5, 8,100 and 2,700 at 10, 113,000 and 4,800 at
# 100; beyond 10 the former grow as mu^2, since stability bounds the steps.
LARGEST_EXPLICIT = 10.0


@dataclass(frozen=True)
class VanDerPol(Flow):
    """Relaxation oscillator, in Lienard's form or with the velocity as second variable.

    x'' = mu (1 - x^2) x' - x, as x' = mu (x - x^3 / 3 - y), y' = x / mu, or as x' = v, v' = mu (1 - x^2) v - x.
    One timescale is the period of the limit cycle at this mu. Beyond mu = 10 the reference solution is implicit.

    Van der Pol, "On relaxation-oscillations", Philosophical Magazine 2, 1926.
    """

    mu: float = 1.0
    form: Form = "lienard"

    timescale_name = "period"
    published = tuple(
        Published(digest, at={"mu": mu}, orbit=Orbit(period, (2.0, 0.0), TWO_CODES, settle=8))
        for mu, period, digest in (
            (1.0, 6.66329, "5525b9d0b9f9"),
            (5.0, 11.6122, None),
            (100.0, 162.837, None),
            (1000.0, 1614.401, None),
        )
    )

    def __post_init__(self) -> None:
        require_positive(self, "mu", otherwise="it has no limit cycle otherwise")
        if self.form not in ("lienard", "velocity"):
            raise ValueError(f"VanDerPol.form must be 'lienard' or 'velocity', but is {self.form!r}")

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return _period(float(self.mu))

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """States in and around the limit cycle, the same in both forms."""
        states = rng.uniform([-2.5, -1.5], [2.5, 1.5], (count, 2))
        if self.form == "velocity":
            x, y = states.T
            states[:, 1] = self.mu * (x - x * x * x / 3 - y)
        return states

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        if self.form == "velocity":
            return torch.stack([v, self.mu * (1 - u * u) * v - u], dim=-1)
        return torch.stack([self.mu * (u - u * u * u / 3 - v), u / self.mu], dim=-1)

    @property
    def integrator(self) -> Integrator:
        return integrate_stiff if self.mu > LARGEST_EXPLICIT else integrate


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
