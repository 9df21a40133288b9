"""The Lorenz system in noise."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import require_positive
from systems.flows.lorenz import Lorenz
from systems.published import Published
from systems.stochastic import Stochastic


@dataclass(frozen=True)
class StochasticLorenz(Stochastic):
    """The Lorenz system, each of whose variables is kicked by white noise.

    dx = sigma (y - x) dt + noise dW1,  dy = (x (rho - z) - y) dt + noise dW2,  dz = (x y - beta z) dt + noise dW3.
    One timescale is the Lyapunov time of the default parameters without noise. A noise of 1 makes forecasts
    worthless after about two of them, one of 0.15 (as in the source) after about four.

    Li et al., "Scalable gradients for stochastic differential equations", AISTATS 2020.
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8.0 / 3.0
    noise: float = 1.0  # standard deviation of the kicks in a unit of time

    timescale_name = "timescale"
    additive = True
    published = (Published("fc6a66f36ca7"),)

    def __post_init__(self) -> None:
        require_positive(self, "noise", otherwise="that is Lorenz")

    @property
    def dim(self) -> int:
        return 3

    @property
    def quiet(self) -> Lorenz:
        """The system without its noise."""
        return Lorenz(self.sigma, self.rho, self.beta)

    @property
    def timescale(self) -> float:
        return self.quiet.timescale

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 3"]:
        """Places on the attractor of the system without noise."""
        return self.quiet.initial_states(count, rng)

    def drift(self, x: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        return self.quiet.velocity(0.0, x)

    def diffusion(self, x: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        return torch.ones_like(x) * self.noise
