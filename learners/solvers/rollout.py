"""Predictors of fitted networks whose state is the system's own, and the ways in which they go forward in time."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isclose
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Predictor, TrainingLog
from learners.networks.scales import Scales
from learners.networks.stacked import joined, size
from systems import Trajectories

Rollout = Callable[[Tensor, Sequence[float]], tuple[Tensor, int]]


class StatePredictor(Predictor):
    """A fitted network whose state is the system's, standardised, float32, and what its scales put beside that.

    Args:
        build: makes a rollout of the network: a function of states and offsets, in sampling steps, that returns what
            `Predictor.rollout` does.
        together: whether that also works for several replicas, each with an equal part of the batch.
    """

    def __init__(
        self,
        network: nn.Module,
        scales: Scales,
        log: TrainingLog,
        build: Callable[[Any], Rollout],
        together: bool,
    ) -> None:
        self.network, self.scales, self.log, self.build, self.together = network, scales, log, build, together
        self._propagate = build(network)

    @property
    def parameters(self) -> int:
        return size(self.network)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        return self.scales.lift(past.between(-1))[:, 0]

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return self.scales.restore(state)

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return self._propagate(state, [offset / self.scales.step for offset in offsets])

    def ensemble(self, others: Sequence[Predictor]) -> Predictor | None:
        if not self.together:
            return None
        network = joined([self.network, *(other.network for other in others if isinstance(other, StatePredictor))])
        return StatePredictor(network, self.scales, self.log, self.build, self.together)

    def weights(self) -> dict[str, Tensor]:
        return dict(self.network.named_parameters())


def rollout_map(step: Callable[[Tensor], Tensor], evaluations: int) -> Rollout:
    """Return a rollout that applies a map of one sampling step over and over.

    It raises ValueError where an offset is not a whole number of sampling steps.

    Args:
        step: advances states `[batch, dim]` by one sampling step.
        evaluations: evaluations of the network in one step.
    """

    def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        states, done = [], 0
        for offset in offsets:
            wanted = round(offset)
            if wanted <= done or not isclose(offset, wanted, rel_tol=1e-6):
                raise ValueError(f"this model maps one sampling step on, and cannot go from step {done} to {offset:g}")
            for _ in range(wanted - done):
                state = step(state)
            states.append(state)
            done = wanted
        return torch.stack(states), done * evaluations

    return propagate


def rollout_flow(step: Callable[[Tensor, float], Tensor], evaluations: int) -> Rollout:
    """Return a rollout that integrates with a fixed-step solver.

    The interval between two offsets is divided into equal steps no longer than one sampling step.

    Args:
        step: advances states `[batch, dim]` by h sampling steps.
        evaluations: evaluations of the vector field in one step.
    """

    def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        states, total = [], 0
        for begin, end in pairwise([0.0, *offsets]):
            count = max(1, int(-(-(end - begin) // (1 + 1e-6))))
            for _ in range(count):
                state = step(state, (end - begin) / count)
            states.append(state)
            total += count
        return torch.stack(states), total * evaluations

    return propagate
