"""Reference rows: yardsticks that every table carries, so that a learner which loses to one of them is seen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import FREE, Budget, Learner, Predictor, Unsuitable
from learners.drawn_paths import TruePaths
from learners.solvers.accurate import accurate_substeps, steps_of
from learners.solvers.rollout import EquationsPredictor
from learners.solvers.steps import EVALUATIONS
from learners.streams import stream
from systems import Dataset, Flow, Map, Stochastic, Trajectories
from systems.configuration import label
from systems.stochastic import SUBSTEPS


@dataclass(frozen=True)
class Persistence(Learner):
    """Forecasts that the last observed state stays as it is."""

    reference: ClassVar[bool] = True

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [Constant(None)] * len(seeds)


@dataclass(frozen=True)
class TrainingMean(Learner):
    """Forecasts the mean of the training data."""

    reference: ClassVar[bool] = True

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [Constant(dataset.mean)] * len(seeds)


@dataclass(frozen=True)
class Climatology(Learner):
    """Forecasts states drawn at random from the training data: the right places, in no order."""

    reference: ClassVar[bool] = True

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [ShuffledDraw(dataset, seed) for seed in seeds]


@dataclass(frozen=True)
class TrueEquations(Learner):
    """The system itself, integrated in float32: what rounding alone leaves of the truth.

    A method of fourth order, of Runge and Kutta or exponential, takes as many steps as keep its own error below that of
    rounding. Maps are iterated. Of a stochastic system, paths are drawn in float64, as the data were.
    """

    reference: ClassVar[bool] = True

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        system = dataset.system
        if isinstance(system, Stochastic) and dataset.is_complete:
            return [TruePaths(system, dataset.step, SUBSTEPS, seed) for seed in seeds]
        if not isinstance(system, Flow | Map):
            raise Unsuitable(f"TrueEquations needs a system with a velocity, but {label(system)} has none")
        if not dataset.is_complete:
            raise Unsuitable(
                f"TrueEquations needs all {system.dim} state variables, but Sampling.channels="
                f"{dataset.sampling.channels} shows {dataset.dim} of them"
            )
        if isinstance(system, Map):
            steps = system.accurate_steps
            count = 1
            evaluations = round(dataset.step)
        else:
            steps, count = steps_of(system, dataset), accurate_substeps(system, dataset)
            evaluations = EVALUATIONS["rk4"] * count
        truth = EquationsPredictor(
            lambda x, time: steps(x, time, count), dataset.step, evaluations, dtype=torch.float32
        )
        truth.log = FREE
        return [truth] * len(seeds)


class Constant(Predictor):
    """One state for all times: the last observed one, or a given one."""

    log = FREE

    def __init__(self, value: Float[Tensor, " dim"] | None) -> None:
        self.value = value

    @property
    def parameters(self) -> int:
        return 0 if self.value is None else self.value.numel()

    def encode(self, past: Trajectories) -> Float[Tensor, "batch dim"]:
        last = past.states[:, -1]
        return last if self.value is None else self.value.expand_as(last)

    def decode(self, state: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        return state

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return state.expand(len(offsets), *state.shape), 0


class ShuffledDraw(Predictor):
    """Training states in random order: the state is a place in a shuffled list, which time moves on by one."""

    differentiable = False
    log = FREE

    def __init__(self, dataset: Dataset, seed: int) -> None:
        states = dataset.train.states.flatten(0, 1)
        order = torch.randperm(len(states), generator=stream(seed, "climatology"))
        self.states = states[order.to(states.device)]

    @property
    def parameters(self) -> int:
        return self.states.numel()

    def encode(self, past: Trajectories) -> Float[Tensor, "batch 1"]:
        stride = max(1, len(self.states) // len(past))
        return stride * torch.arange(len(past), dtype=torch.float64, device=self.states.device)[:, None]

    def decode(self, state: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch dim"]:
        return self.states[state[..., 0].long() % len(self.states)]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        places = torch.arange(1, len(offsets) + 1, dtype=state.dtype, device=state.device)
        return state + places.view(-1, *[1] * state.dim()), 0
