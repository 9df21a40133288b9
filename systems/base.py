"""What a dynamical system is: parameters, a velocity, a timescale, initial states, a reference solution."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from systems.integrate import STATISTICS_TOLERANCE, TOLERANCE, integrate


@dataclass(frozen=True)
class System(ABC):
    """A dynamical system whose dataclass fields are its physical parameters.

    States are float64 arrays `[batch, dim]` in physical units, times are in the system's own time unit.
    """

    timescale_name: ClassVar[Literal["Lyapunov time", "period"]]

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of state variables."""

    @property
    @abstractmethod
    def timescale(self) -> float:
        """One Lyapunov time (chaotic systems) or one period, in the system's time unit."""

    @abstractmethod
    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Draw states from which trajectories start: on the attractor, or as the workload says."""

    @abstractmethod
    def solve(
        self,
        initial: Float64[np.ndarray, "batch dim"],
        times: Float64[np.ndarray, " time"],
        tolerance: float = TOLERANCE,
    ) -> Float64[np.ndarray, "batch time dim"]:
        """Reference solution at increasing `times`, the first of which is the time of `initial`.

        `tolerance` is the error of one step, relative to 1 + |x|.
        """


@dataclass(frozen=True)
class Flow(System):
    """A system given by an ordinary differential equation dx/dt = velocity(t, x).

    Parameters may be replaced by tensors (`dataclasses.replace(flow, mu=parameter)`), so that they can be learned.
    """

    @abstractmethod
    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Time derivative of the state, differentiable, on any device and in any precision.

        `t` is one time for all states, or one for each: a tensor with the batch axes of `x`.
        """

    def solve(
        self,
        initial: Float64[np.ndarray, "batch dim"],
        times: Float64[np.ndarray, " time"],
        tolerance: float = TOLERANCE,
    ) -> Float64[np.ndarray, "batch time dim"]:
        return integrate(self.velocity, initial, times, tolerance)


def settle(
    system: System, states: Float64[np.ndarray, "batch dim"], timescales: float
) -> Float64[np.ndarray, "batch dim"]:
    """Discard a transient: the states reached after `timescales` units of the system's timescale."""
    times = np.linspace(0.0, timescales * system.timescale, 1 + round(timescales * 20))
    return system.solve(states, times, STATISTICS_TOLERANCE)[:, -1]
