"""What a dynamical system is: a source of observed trajectories, and mostly a velocity with a reference solution."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, Inexact
from torch import Tensor

from systems.protocol import Sampling, stream
from systems.published import Published
from systems.solvers.dop853 import STATISTICS_TOLERANCE, TOLERANCE, integrate
from systems.solvers.fixed import rk4
from systems.trajectories import Trajectories

States = Float64[np.ndarray, "batch dim"]
Times = Float64[np.ndarray, "*batch time"]  # the same for all states, or of each its own
Solution = Float64[np.ndarray, "batch time dim"]
Integrator = Callable[[Any, np.ndarray, np.ndarray, float], np.ndarray]  # of a velocity, from states, at times
TimescaleName = Literal["Lyapunov time", "period", "timescale"]


class NameWhere:
    """What a class calls its timescale, where it is that: a unit of time as good as any elsewhere is a "timescale".

    On the class itself it is the name: `Lorenz.timescale_name`.
    """

    def __init__(self, name: TimescaleName, holds: Callable[[Any], bool]) -> None:
        self.name: TimescaleName = name
        self.holds = holds

    def __get__(self, system: Any, kind: type) -> TimescaleName:
        return self.name if system is None or self.holds(system) else "timescale"


class KnownExponent:
    """What a system adds whose largest Lyapunov exponent is known at its default parameters.

    One timescale is the Lyapunov time there; at other parameters it is as long, but no Lyapunov time.
    """

    largest_exponent: ClassVar[float]  # at the default parameters
    timescale_name: ClassVar[TimescaleName | NameWhere] = NameWhere(
        "Lyapunov time", lambda system: system == type(system)()
    )

    @property
    def timescale(self) -> float:
        return 1.0 / self.largest_exponent


@dataclass(frozen=True)
class System(ABC):
    """A dynamical system that can be observed. Times are in its own time unit, states in physical units."""

    timescale_name: ClassVar[TimescaleName | NameWhere]  # read, it is a name
    ring: ClassVar[bool] = False  # whether the channels are the sites of a ring, in their order
    published: ClassVar[
        tuple[Published, ...]
    ] = ()  # what is known of it, at each choice of parameters where anything is

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of state variables."""

    @property
    def scored(self) -> int:
        """Number of state variables, the first ones, that forecasts are scored on.

        Others only carry a parameter, or the phase of a drive.
        """
        return self.dim

    @property
    def channel_names(self) -> tuple[str, ...]:
        """What the state variables are called: x1, x2, ... where nobody has named them."""
        return tuple(f"x{place}" for place in range(1, self.dim + 1))

    @property
    @abstractmethod
    def timescale(self) -> float:
        """What `timescale_name` says, in the system's time unit: mostly a Lyapunov time (in chaos) or a period."""

    @abstractmethod
    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        """The trajectories of one part of the data, without observation noise, all channels, float64.

        A pure function of its arguments, with the same bytes in any process.
        """

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        """The protocol as this system can follow it; flows follow any."""
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

    one_attractor: ClassVar[bool] = True  # whether all solutions share one Lyapunov spectrum
    costly: ClassVar[bool] = False  # whether a reference solution takes so long that its certificate takes a short one

    def invariant(self, x: Float64[Tensor, "*batch dim"]) -> Tensor | None:
        """What is the same at all states of a solution, `[*batch]`; None where nothing is known to be."""
        return None

    @abstractmethod
    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Draw states from which trajectories start: on the attractor, or as the workload says."""

    def starts(self, part: str, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """The initial states of one part of the data; for most systems those of all parts are alike."""
        return self.initial_states(count, rng)

    @abstractmethod
    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        """Reference solution at increasing `times`, the first of which is the time of `initial`.

        Times are `[time]`, the same for all states, or `[batch, time]`. `tolerance` is the error of one step, relative
        to 1 + |x|. Raises FloatingPointError where the solution leaves the finite numbers.
        """

    def begin(self, part: str, sampling: Sampling, seed: int) -> Float64[np.ndarray, "count dim"]:
        """The initial states of one part of the data: about the protocol's centre, or as the system draws them."""
        count = sampling.size(part)[0]
        rng = stream(seed, part, "initial")
        return sampling.starts(count, self.dim, rng) if sampling.centred(part) else self.starts(part, count, rng)

    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        initial = self.begin(part, sampling, seed)
        times = sampling.places(part, seed) * (sampling.step * self.timescale)
        tolerance = STATISTICS_TOLERANCE if part == "climate" else TOLERANCE
        states = self.solve(initial, times, tolerance)
        return Trajectories(torch.from_numpy(np.broadcast_to(times, states.shape[:2]).copy()), torch.from_numpy(states))


@dataclass(frozen=True)
class SpectrumMap:
    """A map of states `[batch, dim]` over a `duration`, whose leading Lyapunov exponents are of interest."""

    step: Callable[[Tensor], Tensor]
    duration: float
    leading: int


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
    def spectrum_map(self) -> SpectrumMap | None:
        """A map with the spectrum of this flow; None where Runge-Kutta steps and all directions do."""
        return None

    def accurate_steps(self, x: Float[Tensor, "*batch dim"], interval: float, count: int) -> Tensor:
        """The states an interval later by `count` fourth-order steps, in the precision and place of `x`."""
        for _ in range(count):
            x = rk4(self.velocity, x, interval / count)
        return x

    @property
    def integrator(self) -> Integrator:
        """What the reference solution is found by; stiff flows choose an implicit one."""
        return integrate

    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        return self.integrator(self.velocity, initial, times, tolerance)


@dataclass(frozen=True)
class Map(Simulated):
    """A system given by what becomes of its state in one step, x(n + 1) = step(x(n)). Times are whole numbers."""

    @abstractmethod
    def step(self, x: Inexact[Tensor, "*batch dim"]) -> Inexact[Tensor, "*batch dim"]:
        """The next state, differentiable, on any device and in any precision."""

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        """A whole number of steps between two samples, at least one."""
        if sampling.jitter:
            raise ValueError(
                f"{type(self).__name__} is a map, without states between its steps: set Sampling.jitter to 0, "
                f"not {sampling.jitter}"
            )
        return replace(sampling, step=max(1, round(sampling.step * self.timescale)) / self.timescale)

    def accurate_steps(self, x: Float[Tensor, "*batch dim"], interval: float, count: int) -> Tensor:
        """The states an interval later, as a flow gives them; the map's own steps are exact, whatever their `count`."""
        for _ in range(round(interval)):
            x = self.step(x)
        return x

    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        """Step by step, exact but for rounding.

        At another tolerance than the standard one each step begins a rounding error aside: by the difference of the two
        it is told for how long either is the truth.
        """
        passed = np.broadcast_to(times - times[..., :1], (len(initial), times.shape[-1]))
        counts = np.rint(passed).astype(np.int64)
        if abs(passed - counts).max() > 1e-6:
            raise ValueError(f"{type(self).__name__} is a map, whose times are whole numbers, but is asked for others")
        aside = 1.0 if tolerance == TOLERANCE else 1.0 - float(np.finfo(np.float64).eps)
        orbit = [torch.from_numpy(np.array(initial, dtype=np.float64))]
        with torch.no_grad():
            for _ in range(counts.max()):
                orbit.append(self.step(aside * orbit[-1]))
        states = torch.stack(orbit, dim=1).numpy()
        if not np.isfinite(states).all():
            raise FloatingPointError(f"no finite solution of {self} up to step {counts.max()}")
        return np.take_along_axis(states, counts[:, :, None], axis=1)


def require_positive(system: System, *names: str, otherwise: str = "") -> None:
    """Raise ValueError where a parameter is not above 0, and say what would be otherwise. Tensors are not looked at."""
    for name in names:
        value = getattr(system, name)
        if isinstance(value, (int, float)) and not value > 0:
            raise ValueError(
                f"{type(system).__name__} needs {name} > 0, but {name}={value}{otherwise and ': '}{otherwise}"
            )


def settle(system: Simulated, states: States, timescales: float) -> States:
    """Discard a transient: the states reached after `timescales` units of the system's timescale."""
    times = np.linspace(0.0, timescales * system.timescale, 1 + round(timescales * 20))
    return system.solve(states, times, STATISTICS_TOLERANCE)[:, -1]
