"""What a dynamical system is: a source of observed trajectories, and mostly a velocity with a reference solution."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.protocol import Sampling, stream
from systems.solvers.dop853 import STATISTICS_TOLERANCE, TOLERANCE, integrate
from systems.trajectories import Trajectories

Integrator = Callable[[Any, np.ndarray, np.ndarray, float], np.ndarray]  # of a velocity, from states, at times


TimescaleName = Literal["Lyapunov time", "period", "timescale"]


@dataclass(frozen=True)
class System(ABC):
    """A dynamical system that can be observed. Times are in its own time unit, states in physical units."""

    timescale_name: ClassVar[TimescaleName]
    ring: ClassVar[bool] = False  # whether the channels are the sites of a ring, in their order

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of state variables."""

    @property
    @abstractmethod
    def timescale(self) -> float:
        """One Lyapunov time (chaotic systems) or one period, in the system's time unit."""

    @abstractmethod
    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        """The trajectories of one part of the data, without observation noise, all channels, float64.

        A pure function of its arguments, with the same bytes in any process.
        """

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        """The protocol as this system can follow it; simulated systems follow any."""
        return sampling

    @property
    def source(self) -> "System":
        """The system that datasets remember: this one, unless it is another that is observed in a way of its own."""
        return self


@dataclass(frozen=True)
class Simulated(System):
    """A system whose dataclass fields are its physical parameters, solved to reference accuracy from drawn states.

    States are float64 arrays `[batch, dim]` in physical units.
    """

    @abstractmethod
    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Draw states from which trajectories start: on the attractor, or as the workload says."""

    def starts(self, part: str, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """The initial states of one part of the data; for most systems those of all parts are alike."""
        return self.initial_states(count, rng)

    @abstractmethod
    def solve(
        self,
        initial: Float64[np.ndarray, "batch dim"],
        times: Float64[np.ndarray, "*batch time"],
        tolerance: float = TOLERANCE,
    ) -> Float64[np.ndarray, "batch time dim"]:
        """Reference solution at increasing `times`, the first of which is the time of `initial`.

        Times are `[time]`, the same for all states, or `[batch, time]`. `tolerance` is the error of one step, relative
        to 1 + |x|. Raises FloatingPointError where the solution leaves the finite numbers.
        """

    def begin(self, part: str, sampling: Sampling, seed: int) -> Float64[np.ndarray, "count dim"]:
        """The initial states of one part of the data: about the protocol's centre, or as the system draws them."""
        count, rng = sampling.size(part)[0], stream(seed, part, "initial")
        return sampling.starts(count, self.dim, rng) if sampling.centre else self.starts(part, count, rng)

    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        initial = self.begin(part, sampling, seed)
        times = sampling.places(part, seed) * (sampling.step * self.timescale)
        tolerance = STATISTICS_TOLERANCE if part == "climate" else TOLERANCE
        states = self.solve(initial, times, tolerance)
        return Trajectories(torch.from_numpy(np.broadcast_to(times, states.shape[:2]).copy()), torch.from_numpy(states))


@dataclass(frozen=True)
class Flow(Simulated):
    """A system given by an ordinary differential equation dx/dt = velocity(t, x).

    Parameters may be replaced by tensors (`dataclasses.replace(flow, mu=parameter)`), so that they can be learned.
    """

    @abstractmethod
    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch dim"]) -> Inexact[Tensor, "*batch dim"]:
        """Time derivative of the state, differentiable, on any device and in any precision.

        Where it is analytic, states may also be complex: Lyapunov spectra are then found much sooner.

        `t` is one time for all states, or one for each: a tensor with the batch axes of `x`.
        """

    @property
    def integrator(self) -> Integrator:
        """What the reference solution is found by; stiff flows choose an implicit one."""
        return integrate

    def solve(
        self,
        initial: Float64[np.ndarray, "batch dim"],
        times: Float64[np.ndarray, "*batch time"],
        tolerance: float = TOLERANCE,
    ) -> Float64[np.ndarray, "batch time dim"]:
        return self.integrator(self.velocity, initial, times, tolerance)


def settle(
    system: Simulated, states: Float64[np.ndarray, "batch dim"], timescales: float
) -> Float64[np.ndarray, "batch dim"]:
    """Discard a transient: the states reached after `timescales` units of the system's timescale."""
    times = np.linspace(0.0, timescales * system.timescale, 1 + round(timescales * 20))
    return system.solve(states, times, STATISTICS_TOLERANCE)[:, -1]
