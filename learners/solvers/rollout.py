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

    `build` makes of the network what rolls it on: a function of states and offsets, in sampling steps, that gives what
    `Predictor.rollout` promises. With `together` it does so of several replicas, each with an equal part of the batch.
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


def iterate(step: Callable[[Tensor], Tensor], evaluations: int) -> Rollout:
    """Roll a map of one sampling step on; offsets must be whole steps, else ValueError."""

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


def substeps(step: Callable[[Tensor, float], Tensor], evaluations: int) -> Rollout:
    """Roll a fixed-step solver on, in equal steps of at most one sampling step between any two offsets."""

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
