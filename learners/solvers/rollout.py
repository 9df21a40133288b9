"""Predictors of fitted networks and of equations, and the ways in which they go forward in time."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from itertools import pairwise
from math import isclose
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Predictor, Unsuitable
from learners.networks.scales import Scales
from learners.networks.stacked import joined, size
from learners.solvers.compiled_forecasts import MANY, FixedForecasts
from learners.solvers.replayed_steps import is_replayable, replayed
from systems import Trajectories
from systems.solvers.handover import is_plain

Rollout = Callable[[Tensor, Sequence[float]], tuple[Tensor, int]]
Compiled = Callable[[Tensor, int], Tensor]  # of states `[batch, ...]`, those after 1, 2, ... sampling steps


class SteppedPredictor(Predictor):
    """A model that a rollout takes forward, which counts time in sampling steps."""

    def __init__(self, rollout: Rollout, sampling_step: float) -> None:
        self._rollout = rollout
        self.sampling_step = sampling_step

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return self._rollout(state, [offset / self.sampling_step for offset in offsets])


class NetworkPredictor(SteppedPredictor):
    """A fitted network of standardised states, float32.

    Args:
        build: makes a rollout of the network: a function of states and offsets, in sampling steps, that returns what
            `Predictor.rollout` does.
        together: whether that also works for several replicas, each with an equal part of the batch.
    """

    def __init__(self, network: nn.Module, scales: Scales, build: Callable[[Any], Rollout], together: bool) -> None:
        super().__init__(build(network), scales.step)
        self.network = network
        self.scales = scales
        self.build = build
        self.together = together

    @property
    def parameters(self) -> int:
        return size(self.network)

    def ensemble(self, others: Sequence[Predictor]) -> Predictor | None:
        if not self.together:
            return None
        stack = copy(self)
        networks = (other.network for other in others if isinstance(other, NetworkPredictor))
        stack.network = joined([self.network, *networks])
        stack._rollout = self.build(stack.network)
        return stack

    def weights(self) -> dict[str, Tensor]:
        return dict(self.network.named_parameters())

    def constants(self) -> dict[str, Tensor]:
        return self.scales.by_name()


class StatePredictor(NetworkPredictor):
    """A fitted network whose state is the system's, and what its scales put beside that."""

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        return self.scales.lift(past.between(-1))[:, 0]

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return self.scales.restore(state)


class EquationsPredictor(SteppedPredictor):
    """Equations, whose state is the system's own, in physical units.

    Args:
        advance: takes states `[batch, dim]` on by a time, in the system's time unit.
        step: the longest such time.
        evaluations: of the equations in one step.
        parameters: number of learned numbers.
        weights: these by name.
        dtype: of the state.
    """

    def __init__(
        self,
        advance: Callable[[Tensor, float], Tensor],
        step: float,
        evaluations: int,
        parameters: int = 0,
        weights: Mapping[str, Tensor] | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__(rollout_flow(lambda x, steps: advance(x, steps * step), evaluations), step)
        self._parameters = parameters
        self._weights = dict(weights or {})
        self.dtype = dtype

    @property
    def parameters(self) -> int:
        return self._parameters

    def encode(self, past: Trajectories) -> Float[Tensor, "batch dim"]:
        return past.states[:, -1].to(self.dtype)

    def decode(self, state: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        return state.double()

    def weights(self) -> dict[str, Tensor]:
        return self._weights


def rollout_map(
    step: Callable[[Tensor], Tensor],
    evaluations: int,
    compiled: Callable[[], Compiled] | None = None,
    precision: torch.dtype = torch.float32,
) -> Rollout:
    """Return a rollout that applies a map of one sampling step over and over.

    It raises Unsuitable where an offset is not a whole number of sampling steps.

    Args:
        step: advances states `[batch, dim]` by one sampling step.
        evaluations: evaluations of the network in one step.
        compiled: gives compiled code of the same map, if there is any.
        precision: of the states that it takes.
    """

    def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        if (found := _in_whole_steps(step, compiled, state, offsets, precision)) is not None:
            return found, round(offsets[-1]) * evaluations
        states = []
        done = 0
        for offset in offsets:
            wanted = round(offset)
            if wanted <= done or not isclose(offset, wanted, rel_tol=1e-6):
                raise Unsuitable(f"this model maps one sampling step on, and cannot go from step {done} to {offset:g}")
            for _ in range(wanted - done):
                state = step(state)
            states.append(state)
            done = wanted
        return torch.stack(states), done * evaluations

    return propagate


def rollout_flow(
    step: Callable[[Tensor, float], Tensor], evaluations: int, compiled: Callable[[], FixedForecasts] | None = None
) -> Rollout:
    """Return a rollout that integrates with a fixed-step solver.

    The interval between two offsets is divided into equal steps no longer than one sampling step.

    Args:
        step: advances states `[batch, dim]` by h sampling steps.
        evaluations: evaluations of the vector field in one step.
        compiled: gives compiled code of the same steps, if there is any.
    """

    def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        if (found := _in_whole_steps(lambda x: step(x, 1.0), compiled, state, offsets)) is not None:
            return found, round(offsets[-1]) * evaluations
        intervals = [end - begin for begin, end in pairwise([0.0, *offsets])]
        counts = [max(1, int(-(-interval // (1 + 1e-6)))) for interval in intervals]
        if compiled is not None and is_plain(state) and sum(counts) >= MANY:
            parts = torch.tensor(counts)
            lengths = torch.tensor(intervals).div(parts).repeat_interleave(parts)
            return compiled().in_steps(state, lengths)[parts.cumsum(0) - 1], len(lengths) * evaluations
        states = []
        for interval, count in zip(intervals, counts, strict=True):
            for _ in range(count):
                state = step(state, interval / count)
            states.append(state)
        return torch.stack(states), sum(counts) * evaluations

    return propagate


def _in_whole_steps(
    step: Callable[[Tensor], Tensor],
    compiled: Callable[[], Compiled] | None,
    state: Tensor,
    offsets: Sequence[float],
    precision: torch.dtype = torch.float32,
) -> Float[Tensor, "time *state"] | None:
    """States at offsets by compiled code or, on a GPU, by a graph.

    None where neither can give them, or too few to be worth while.
    """
    ready = compiled if compiled is not None and is_plain(state, precision) else None
    if offsets[-1] < MANY or not (ready or is_replayable(state)):
        return None
    steps = [round(offset) for offset in offsets]
    increasing = all(before < after for before, after in pairwise([0, *steps]))
    if not increasing or not all(isclose(*pair, rel_tol=1e-6) for pair in zip(offsets, steps, strict=True)):
        return None
    states = ready()(state, steps[-1]) if ready else replayed(step, state, steps[-1])
    if states is None or len(steps) == len(states):
        return states
    return states[[one - 1 for one in steps]]
