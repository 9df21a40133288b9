"""Analogue forecast: the continuation of the most similar past, a reference row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64, Int
from torch import Tensor

from learners.base import FREE, Budget, Learner, Predictor
from learners.solvers.rollout import SteppedPredictor, rollout_map
from learners.training.segments import regular_only
from learners.validation import positive
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class Analogue(Learner):
    """Forecasts what followed in the training data on the window of samples that is nearest to the latest.

    Distances are Euclidean, of standardised states. Where a training trajectory ends, it goes on behind the window that
    is nearest to its last one, among those in the first halves of trajectories. Nothing is learned.

    Lorenz, Journal of the Atmospheric Sciences 26, 1969; Zhang and Gilpin, "Context parroting", arXiv 2505.11349, 2025.
    """

    window: int = 4  # samples that are compared; fewer where contexts, or halves of training trajectories, are shorter

    reference: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self, "window")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        regular_only(dataset)
        window = min(self.window, dataset.sampling.context, dataset.train.states.shape[1] // 2)
        return [Continuation(dataset, window)] * len(seeds)


class Continuation(SteppedPredictor):
    """The training data, in which a state `[batch]` is the place of a sample, counted through all trajectories."""

    differentiable = False
    log = FREE

    def __init__(self, dataset: Dataset, window: int) -> None:
        super().__init__(rollout_map(lambda place: self.following[place], evaluations=0), dataset.step)
        self.window = self.least_past = window
        self.mean, self.std = dataset.mean, dataset.std
        trajectories, samples, _ = dataset.train.states.shape
        self.states = dataset.train.states.flatten(0, 1)
        windows = dataset.standardise(dataset.train.states).unfold(1, window, 1).flatten(2)
        places = torch.arange(len(self.states), device=self.states.device).unflatten(0, (trajectories, samples))
        self.following = places.flatten() + 1
        halves = slice(0, samples // 2 - window + 1)
        ends = nearest(windows[:, -1], windows[:, halves].flatten(0, 1))
        self.following[places[:, -1]] = places[:, window - 1 :][:, halves].flatten()[ends] + 1
        self.windows = windows[:, :-1].flatten(0, 1)
        self.places = places[:, window - 1 : -1].flatten()

    @property
    def parameters(self) -> int:
        return self.states.numel()

    def encode(self, past: Trajectories) -> Int[Tensor, " batch"]:
        latest = (past.states[:, -self.window :] - self.mean) / self.std
        return self.places[nearest(latest.transpose(1, 2).flatten(1), self.windows)]

    def decode(self, state: Int[Tensor, " *batch"]) -> Float64[Tensor, "*batch dim"]:
        return self.states[state]


def nearest(
    queries: Float64[Tensor, "batch features"], candidates: Float64[Tensor, "count features"]
) -> Int[Tensor, " batch"]:
    """Which of the candidates is nearest to each query."""
    return (candidates.square().sum(dim=1) / 2 - queries @ candidates.T).argmin(dim=1)
