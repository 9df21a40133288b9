"""Any learner on less data: how much does it need?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from learners.base import Budget, Learner, Predictor
from learners.validation import positive
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class Fewer(Learner):
    """A learner that is given only the first of the training trajectories; all else is as it was."""

    learner: Learner
    trajectories: int

    def __post_init__(self) -> None:
        positive(self, "trajectories")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        there = len(dataset.train)
        if self.trajectories > there:
            raise ValueError(
                f"Fewer.trajectories={self.trajectories}, but there are only {there} for training: "
                "lower it, or raise Sampling.trajectories"
            )
        train = Trajectories(dataset.train.times[: self.trajectories], dataset.train.states[: self.trajectories])
        sampling = replace(dataset.sampling, trajectories=self.trajectories)
        return self.learner.fit_replicas(replace(dataset, sampling=sampling, train=train), budget, seeds)
