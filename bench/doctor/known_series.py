"""Series of which everything is known: maps, flows, noise, and a truth beside a model; all [runs, samples, dim]."""

from math import cos, pi, sin, sqrt

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from systems import LinearSpiral, Lorenz, VanDerPol
from systems.base import Flow, settle
from systems.solvers.dop853 import STATISTICS_TOLERANCE
from systems.tangents import StateFunction

Runs = Float64[np.ndarray, "runs samples dim"]

GOLDEN = (sqrt(5) - 1) / 2  # of a turn: the rotation that is hardest to take for a periodic one
GROWTH_STEP = 0.01  # between the samples of the growing error
FEW = 8  # runs, for instruments that need no more
SAMPLES = 2150  # K of oversampled chaos grows with their number; with so many its mean over runs is the published one


def rotation(state: Tensor) -> Tensor:
    """A rotation of the plane by the golden mean of a turn."""
    c, s = cos(2 * pi * GOLDEN), sin(2 * pi * GOLDEN)
    x, y = state.unbind(-1)
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)


def orbit(step: StateFunction, start: tuple[float, ...], samples: int = 2000) -> Runs:
    """One run of a map, without its first thousand states."""
    state = torch.tensor([start], dtype=torch.float64)
    states = []
    for _ in range(1000 + samples):
        state = step(state)
        states.append(state)
    return torch.stack(states[1000:], dim=1).numpy()


def lorenz(step: float, samples: int, runs: int = FEW, rho: float = 28.0) -> Runs:
    """Runs on the attractor of Lorenz, `step` units of time between samples."""
    start = np.array([0.0, 0.0, rho]) + np.random.default_rng(1).uniform(-10.0, 10.0, (runs, 3))
    return _integrated(Lorenz(rho=rho), start, step, samples, transient=8.0)


def spiral() -> Runs:
    """A run that spirals into the fixed point."""
    return _integrated(LinearSpiral(), np.array([[2.0, 0.0]]), 0.1, 2000)


def van_der_pol() -> Runs:
    """A run on the limit cycle."""
    return _integrated(VanDerPol(), np.array([[2.0, 0.5]]), 0.1, 4000, transient=8.0)


def _integrated(
    flow: Flow, start: Float64[np.ndarray, "runs dim"], step: float, samples: int, transient: float = 0.0
) -> Runs:
    """Runs of a flow, without a transient of so many timescales."""
    if transient:
        start = settle(flow, start, transient)
    return flow.solve(start, np.arange(samples) * step, STATISTICS_TOLERANCE)


def sine(samples: int = 4000) -> Runs:
    """A sine and its cosine, 63 samples a period."""
    angle = 0.1 * np.arange(samples)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)[None]


def torus() -> Runs:
    """A curve on the surface of a ring, which it fills: its two frequencies have no common multiple."""
    along = 0.4 * np.arange(8000)
    across = sqrt(2) * along
    wide = 2 + np.cos(across)
    return np.stack([wide * np.cos(along), wide * np.sin(along), np.sin(across)], axis=-1)[None]


def noise(runs: int = 2, samples: int = 4000, dim: int = 3) -> Runs:
    """Independent draws from the standard normal distribution."""
    return np.random.default_rng(7).normal(size=(runs, samples, dim))


def shifted_noise(samples: int, dim: int) -> Runs:
    """Two normal distributions whose means are one standard deviation apart."""
    runs = noise(2, samples, dim)
    runs[1, :, 0] += 1.0
    return runs


def constant() -> Runs:
    """One run that never changes."""
    return np.full((1, 2000, 1), 3.0)


def noise_and_rest() -> Runs:
    """A truth that moves, and a model that does not."""
    runs = noise(dim=1)
    runs[1] = 0.0
    return runs


def two_sines() -> Runs:
    """Two sines whose frequencies are 40 bins of the spectrum apart."""
    angle = 2 * pi * np.arange(4000) / 4000
    return np.stack([np.sin(frequency * angle) for frequency in (400, 440)])[:, :, None]


def two_coins() -> Runs:
    """A fair coin, and one that falls on one side three times in four."""
    toss = np.arange(4000)
    return np.stack([toss % 2, toss % 4 > 0]).astype(float)[:, :, None]


def growing_error() -> Runs:
    """A sine of unit variance, and a forecast that is off by a thousandth times e to the time."""
    time = GROWTH_STEP * np.arange(1, 1001)
    truth = sqrt(2) * np.sin(2 * pi * time)
    return np.stack([truth, truth + 1e-3 * np.exp(time)])[:, :, None]


def doubled_sine() -> Runs:
    """A sine, and a forecast that is twice as large."""
    truth = np.sin(0.1 * np.arange(1, 1001))
    return np.stack([truth, 2 * truth])[:, :, None]
