"""What a hybrid system is: a flow that an event interrupts."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from systems.base import Flow, Integrator, Solution, States, Times
from systems.solvers.dop853 import TOLERANCE
from systems.solvers.events import FINEST, Pieces, follow
from systems.solvers.fixed import classical_rk4

HALVINGS = 26  # of the step in which an event is looked for, before the last correction


@dataclass(frozen=True)
class Hybrid(Flow):
    """A flow whose state jumps, or whose velocity changes, where an event function passes zero.

    Solutions are taken up to each event, which is found to rounding, and go on from there.
    """

    through: ClassVar[bool] = True  # whether the state goes on on the other side, or is thrown back to the positive one

    @abstractmethod
    def event(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
        """Zero where the event happens."""

    @abstractmethod
    def velocity_on(self, side: Any, x: Inexact[Tensor, "*batch dim"]) -> Inexact[Tensor, "*batch dim"]:
        """Time derivative on a side of the event (1 or -1, one or `[*batch]`), smoothly continued beyond it."""

    def reset(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """The state right after an event, by that right before."""
        return x

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch dim"]) -> Inexact[Tensor, "*batch dim"]:
        return self.velocity_on(self._side(x), x)

    @property
    def integrator(self) -> Integrator:
        return self._integrate

    def accurate_steps(self, x: Float[Tensor, "*batch dim"], interval: float, count: int) -> Tensor:
        """As a flow's, but up to an event and from there on, at most one in a step; differentiable, with its moment."""
        states = x.reshape(-1, x.shape[-1])
        h = interval / count
        for _ in range(count):
            states = self._step(states, torch.full_like(states[:, :1], h), self._side(states))
        return states.reshape(x.shape)

    def _side(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
        event = self.event(x).real
        return torch.where(event >= 0, 1.0, -1.0).to(event) if self.through else torch.ones_like(event)

    def _step(self, x: Tensor, h: Float[Tensor, "batch 1"], side: Float[Tensor, " batch"]) -> Tensor:
        new = self._smooth_step(x, h, side)
        crossed = side * self.event(new) < 0
        if not crossed.any():
            return new
        start, width, before = x[crossed], h[crossed], side[crossed]
        until = self._moment(start, width, before)
        landed = self.reset(self._smooth_step(start, until * width, before))
        after = -before if self.through else before
        rest = self._smooth_step(landed, (1 - until) * width, after)
        return new.index_put((crossed.nonzero()[:, 0],), rest)

    def _smooth_step(self, x: Tensor, h: Tensor, side: Tensor) -> Tensor:
        return classical_rk4(lambda _, state: self.velocity_on(side, state), x, h)  # type: ignore[arg-type]

    def _moment(self, x: Tensor, h: Tensor, side: Tensor) -> Float[Tensor, "batch 1"]:
        """The fraction of a step after which the event happens: by halving, then one step of Newton's method.

        The latter carries derivatives by the state.
        """

        def value(fraction: Tensor, x: Tensor = x) -> Tensor:
            return self.event(self._smooth_step(x, fraction * h, side))[:, None]

        low, high = torch.zeros_like(h), torch.ones_like(h)
        with torch.no_grad():
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                inside = side[:, None] * value(middle, x.detach()) >= 0
                low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
            apart = 1e-3
            slope = (value(low + apart, x.detach()) - value(low - apart, x.detach())) / (2 * apart)
        return low - value(low) / slope

    def _integrate(self, velocity: Any, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        def plain(function: Any) -> Any:
            return lambda *given: function(*given[:-1], torch.from_numpy(given[-1])).numpy()

        pieces = Pieces(plain(self.velocity_on), plain(self.event), plain(self.reset), self.through)
        clocks = np.broadcast_to(times, (len(initial), times.shape[-1]))
        with torch.no_grad(), np.errstate(all="ignore"):
            paths = [
                follow(pieces, np.array(start, dtype=np.float64), clock, max(tolerance, FINEST))
                for start, clock in zip(initial, clocks, strict=True)
            ]
        return np.stack(paths)
