"""A family of flows: the same equations at several values of a parameter, of which some are kept for the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import Flow, Solution, States, Times, TimescaleName
from systems.flows.lorenz import Lorenz
from systems.published import Published
from systems.solvers.dop853 import TOLERANCE


@dataclass(frozen=True)
class Family(Flow):
    """A flow whose parameter is a state variable of its own, the last, that never changes.

    Trajectories take turns with the values. Where there are unseen ones, all forecasts that are scored are of those:
    between the others they ask for interpolation, beyond them for extrapolation. One timescale is that of the given
    system. `over(Lorenz(), rho=[26, 28, 30])` is a shorter way to write one.
    """

    system: Flow = field(default_factory=Lorenz)
    parameter: str = "rho"
    values: tuple[float, ...] = (26.0, 28.0, 30.0)  # that are trained on
    unseen: tuple[float, ...] = ()  # that are tested on; none: the same values

    one_attractor = False
    published = (Published("58cd613a2e86"),)

    def __post_init__(self) -> None:
        name = type(self.system).__name__
        known = [one.name for one in fields(self.system)]
        if self.parameter not in known or not isinstance(getattr(self.system, self.parameter), float):
            raise ValueError(f"{name} has no real parameter {self.parameter!r}: choose from {', '.join(known)}")
        if len(set(self.values)) < 2:
            raise ValueError(f"a family of {name} needs two values of {self.parameter} or more, but has {self.values}")
        for value in (*self.values, *self.unseen):
            self._member(value)

    @property
    def timescale_name(self) -> TimescaleName:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.system.timescale_name

    @property
    def dim(self) -> int:
        return self.system.dim + 1

    @property
    def scored(self) -> int:
        return self.system.scored

    @property
    def timescale(self) -> float:
        return self.system.timescale

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        return self._drawn(self.values, count, rng)

    def starts(self, part: str, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        scored = part in ("test", "climate")
        return self._drawn((scored and self.unseen) or self.values, count, rng)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch dim"]) -> Inexact[Tensor, "*batch dim"]:
        def one(time: Tensor, state: Inexact[Tensor, " dim"]) -> Inexact[Tensor, " dim"]:
            member = replace(self.system, **{self.parameter: state[-1]})
            return torch.cat([member.velocity(time, state[:-1]), torch.zeros_like(state[-1:])])

        times = torch.as_tensor(t, device=x.device).expand(x.shape[:-1])
        flat = torch.vmap(one)(times.reshape(-1), x.reshape(-1, self.dim))
        return flat.reshape(x.shape)

    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        """Each member as its own system is solved."""
        states = np.empty((len(initial), times.shape[-1], self.dim))
        states[..., -1] = initial[:, -1:]
        for value in np.unique(initial[:, -1]):
            mine = initial[:, -1] == value
            clock = times if times.ndim == 1 else times[mine]
            states[mine, :, :-1] = self._member(float(value)).solve(initial[mine, :-1], clock, tolerance)
        return states

    def _member(self, value: float) -> Flow:
        return replace(self.system, **{self.parameter: value})

    def _drawn(self, values: Sequence[float], count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """States of the members in turn."""
        states = np.empty((count, self.dim))
        for place, value in enumerate(values[:count]):
            mine = states[place :: len(values)]
            mine[:, :-1] = self._member(value).initial_states(len(mine), rng)
            mine[:, -1] = value
        return states


def over(system: Flow, unseen: Sequence[float] = (), **values: Sequence[float]) -> Family:
    """The family of a system over values of one of its parameters: `over(Lorenz(), rho=[26, 30], unseen=[28])`."""
    if len(values) != 1:
        raise ValueError(f"a family is over one parameter, but {len(values)} are given: {', '.join(values) or 'none'}")
    ((parameter, given),) = values.items()
    return Family(system, parameter, tuple(map(float, given)), tuple(map(float, unseen)))
