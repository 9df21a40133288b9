"""Geometric Brownian motion: growth at a random rate, with a closed form of every path."""

from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.special import ndtr
from torch import Tensor

from systems.base import require_positive
from systems.published import Published
from systems.solvers.stochastic import Width
from systems.stochastic import Stochastic


@dataclass(frozen=True)
class GeometricBrownianMotion(Stochastic):
    """A price, or a population, whose rate of growth is white noise about a mean.

    dx = growth x dt + volatility x dW, so that x(t) = x(0) exp((growth - volatility^2 / 2) t + volatility W(t)).
    One timescale is 1 / volatility^2, in which the logarithm spreads by a standard deviation of 1.

    Kloeden and Platen, "Numerical Solution of Stochastic Differential Equations", 1992, section 4.4.
    """

    growth: float = 0.02
    volatility: float = 0.2

    timescale_name = "timescale"
    published = (Published("38a98406956a"),)

    def __post_init__(self) -> None:
        require_positive(self, "volatility", otherwise="nothing would be random")

    @property
    def dim(self) -> int:
        return 1

    @property
    def timescale(self) -> float:
        return 1.0 / self.volatility**2

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 1"]:
        return rng.uniform(0.5, 1.5, (count, 1))

    def drift(self, x: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        return self.growth * x

    def diffusion(self, x: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        return self.volatility * x

    def step(
        self, x: Float[Tensor, "batch 1"], h: Width, increment: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch 1"]:
        """By the closed form: exact, however long the step."""
        return x * torch.exp((self.growth - self.volatility**2 / 2) * h + self.volatility * increment)

    def least_crps(self, x: float, time: float) -> float:
        """The mean CRPS of the true distribution a `time` after the state x: no forecast has a lower one."""
        spread = self.volatility * sqrt(time)
        return x * exp(self.growth * time) * (2 * float(ndtr(spread / sqrt(2))) - 1)
