"""What a stochastic system is: a drift and a diffusion, of which every trajectory is another path."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Solution, States, System, Times
from systems.protocol import Sampling, stream
from systems.solvers.stochastic import Width, euler_maruyama, milstein
from systems.trajectories import Trajectories

SUBSTEPS = 16  # between two samples, where steps are not exact


@dataclass(frozen=True)
class Stochastic(System):
    """A system given by a stochastic differential equation dx = drift(x) dt + diffusion(x) dW, in Ito's sense.

    Each channel has a Brownian motion of its own, and a diffusion that depends on that channel alone.
    """

    additive: ClassVar[bool] = False  # whether the diffusion is the same everywhere

    @abstractmethod
    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Draw states from which trajectories start."""

    @abstractmethod
    def drift(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Mean change of the state in a unit of time, differentiable, on any device and in any precision."""

    @abstractmethod
    def diffusion(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Standard deviation of the change of each channel in a unit of time, likewise."""

    def step(
        self, x: Float[Tensor, "batch dim"], h: Width, increment: Float[Tensor, "batch dim"]
    ) -> Float[Tensor, "batch dim"]:
        """The state a short time h later, on the path whose Brownian motion has grown by the increment."""
        scheme = euler_maruyama if self.additive else milstein
        return scheme(self.drift, self.diffusion, x, h, increment)

    def path(self, initial: States, times: Times, rng: np.random.Generator) -> Solution:
        """Paths at increasing `times`, the first of which is the time of `initial`, of Brownian motions of their own.

        Times are `[time]`, the same for all states, or `[batch, time]`. Raises FloatingPointError where a path leaves
        the finite numbers.
        """
        times = np.broadcast_to(times, (len(initial), times.shape[-1]))
        x = torch.from_numpy(np.array(initial, dtype=np.float64))
        states = [x]
        for interval in np.diff(times, axis=1).T:
            h = torch.from_numpy(interval[:, None] / SUBSTEPS)
            for draw in torch.from_numpy(rng.standard_normal((SUBSTEPS, *initial.shape))):
                x = self.step(x, h, h.sqrt() * draw)
            states.append(x)
        solution = torch.stack(states, dim=1).numpy()
        if not np.isfinite(solution).all():
            raise FloatingPointError(f"no finite path of {self} up to t={times.max():g}")
        return solution

    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        count = sampling.size(part)[0]
        rng = stream(seed, part, "initial")
        initial = sampling.starts(count, self.dim, rng) if sampling.centred(part) else self.initial_states(count, rng)
        times = sampling.places(part, seed) * (sampling.step * self.timescale)
        states = self.path(initial, times, stream(seed, part, "path"))
        return Trajectories(torch.from_numpy(np.broadcast_to(times, states.shape[:2]).copy()), torch.from_numpy(states))
