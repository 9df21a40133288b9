"""The Mackey-Glass equation: chaos from a delay."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.polynomial import chebyshev
from torch import Tensor

from systems.base import Flow, NameWhere, Solution, SpectrumMap, States, Times, require_positive
from systems.published import LONG_RUNS, Attractor, Published
from systems.solvers.dop853 import STATISTICS_TOLERANCE, TOLERANCE

# Measured at the default parameters on 200 runs of 25,500 time units: python -m bench doctor MackeyGlass.
LARGEST_EXPONENT = 0.00514

POINTS = 48  # of the solution over one delay: with more, it changes by 3e-11 in twelve Lyapunov times
MORE_POINTS = 64  # of any solution that this one is compared with

Matrix = Float64[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class MackeyGlass(Flow):
    """Blood cells, whose production depends on their number some time ago; the state is the history over this time.

    x' = beta x(t - tau) / (1 + x(t - tau)^exponent) - gamma x. The state has x at Chebyshev points of [t - tau, t],
    so that the last channel is x(t). Solved by the method of steps: over each delay the equation is linear in x. As a
    flow, histories move by spectral differentiation. One timescale is the Lyapunov time at the default parameters; at
    others it is as long, but no Lyapunov time.

    Mackey and Glass, "Oscillation and chaos in physiological control systems", Science 197, 1977.
    """

    tau: float = 17.0
    beta: float = 0.2
    gamma: float = 0.1
    exponent: float = 10.0
    points: int = 32  # of the history; as many resolve the default attractor to 2e-9

    timescale_name = NameWhere(
        "Lyapunov time",
        lambda system: (system.tau, system.beta, system.gamma, system.exponent) == (17.0, 0.2, 0.1, 10.0),
    )
    published = (
        Published(
            "2ed5cd10cc19",
            attractor=Attractor((0.00514, 0.00015, LONG_RUNS), (2.13, 0.03, "Farmer 1982"), states=200, time=30.0),
        ),
    )

    def __post_init__(self) -> None:
        require_positive(self, "tau", "beta", "gamma", "exponent")
        if self.points < 4:
            raise ValueError(f"MackeyGlass needs points >= 4, but points={self.points}: histories are polynomials")

    @property
    def dim(self) -> int:
        return self.points

    @property
    def timescale(self) -> float:
        return 1.0 / LARGEST_EXPONENT

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Constant histories, brought to the attractor."""
        start = np.tile(rng.uniform(0.5, 1.3, (count, 1)), (1, self.points))
        return self.solve(start, np.array([0.0, 12 * self.timescale]))[:, -1]

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        derivative = torch.from_numpy(_differentiation(self.points)).to(x)
        past, present = x[..., :1], x[..., -1:]
        moved = 2 / self.tau * (x @ derivative[:-1].T)
        return torch.cat([moved, self.beta * past / (1 + past**self.exponent) - self.gamma * present], dim=-1)

    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        """As polynomials over one delay after the other, of a degree at which errors are those of rounding."""
        count = POINTS if tolerance in (TOLERANCE, STATISTICS_TOLERANCE) else MORE_POINTS
        passed = times - times[..., :1]
        pieces = [np.array(initial, dtype=np.float64) @ _interpolation(self.points, count).T]
        for _ in range(ceil(float(passed.max()) / self.tau)):
            pieces.append(self._next(torch.from_numpy(pieces[-1])).numpy())
        modes = np.stack(pieces, axis=1) @ np.linalg.inv(_modes(_nodes(count), count)).T
        if not np.isfinite(modes).all():
            raise FloatingPointError(f"no finite solution of {self} up to t={times.max():g}")
        if times.ndim == 1:
            return self._histories(modes, passed)
        each = (self._histories(mine[None], clock) for mine, clock in zip(modes, passed, strict=True))
        return np.concatenate(list(each))

    def propagate(self, x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """The histories one delay later, on their own points; differentiable."""
        return self._next(x)

    @property
    def spectrum_map(self) -> SpectrumMap:
        return SpectrumMap(self.propagate, duration=self.tau, leading=4)

    def _next(self, x: Float[Tensor, "batch points"]) -> Float[Tensor, "batch points"]:
        """x(t) = exp(-gamma t) (x(0) + integral of exp(gamma s) g(s) ds), g being what the history lets be produced."""
        clock = torch.from_numpy((_nodes(x.shape[-1]) + 1) / 2).to(x) * self.tau
        weights = torch.from_numpy(_integration(x.shape[-1])).to(x) * (self.tau / 2)
        growth = torch.exp(self.gamma * clock)
        produced = self.beta * x / (1 + x**self.exponent)
        return (x[:, -1:] + (growth * produced) @ weights.T) / growth

    def _histories(
        self, modes: Float64[np.ndarray, "batch pieces modes"], passed: Float64[np.ndarray, " time"]
    ) -> Float64[np.ndarray, "batch time dim"]:
        """Solutions on the points of the history of each time: each history lies on two pieces at the most."""
        places = passed[:, None] / self.tau + (_nodes(self.points) + 1) / 2  # in delays, from the start of piece 0
        lower = np.minimum(np.floor(places[:, :1]).astype(int), modes.shape[1] - 1)
        upper = np.minimum(lower + 1, modes.shape[1] - 1)
        is_upper = (places >= lower + 1) & (upper > lower)
        values = _modes(2 * (places - np.where(is_upper, upper, lower)) - 1, modes.shape[2])
        below, above = (
            np.einsum("tpm,btm->btp", values, modes[:, piece[:, 0]], optimize=True) for piece in (lower, upper)
        )
        return np.where(is_upper, above, below)


def _nodes(count: int) -> Float64[np.ndarray, " points"]:
    """Chebyshev points of [-1, 1], increasing."""
    return -np.cos(np.pi * np.arange(count) / (count - 1))


def _modes(places: Float64[np.ndarray, "*shape"], count: int) -> Float64[np.ndarray, "*shape modes"]:
    """The first Chebyshev polynomials at places in [-1, 1]."""
    return chebyshev.chebvander(places, count - 1)


@lru_cache
def _interpolation(given: int, wanted: int) -> Matrix:
    """From values at so many points to those at so many others."""
    return _modes(_nodes(wanted), given) @ np.linalg.inv(_modes(_nodes(given), given))


@lru_cache
def _differentiation(count: int) -> Matrix:
    values = _modes(_nodes(count), count)
    slopes = np.stack([chebyshev.chebval(_nodes(count), chebyshev.chebder(row)) for row in np.eye(count)], axis=1)
    return slopes @ np.linalg.inv(values)


@lru_cache
def _integration(count: int) -> Matrix:
    """Integrals from the first point to each."""
    values = _modes(_nodes(count), count)
    integrals = [chebyshev.chebval(_nodes(count), chebyshev.chebint(row, lbnd=-1)) for row in np.eye(count)]
    return np.stack(integrals, axis=1) @ np.linalg.inv(values)
