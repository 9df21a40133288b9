"""MyLearner: a learner to begin with. As it stands, it fits a linear map by least squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learners import Budget, Learner, Predictor, Unsuitable
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class MyLearner(Learner):
    """One sentence that says what it learns, and how.

    The next state is a linear function of the current one and of 1.
    """

    ridge: float = 1e-6  # weight of the squared coefficients

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        if not dataset.is_regular:
            raise Unsuitable("a map of one sampling step cannot use irregular times")
        now, after = dataset.train.states[:, :-1].flatten(0, 1), dataset.train.states[:, 1:].flatten(0, 1)
        inputs = with_one(now)
        normal = inputs.T @ inputs + self.ridge * torch.eye(inputs.shape[1], dtype=inputs.dtype, device=inputs.device)
        fitted = LinearMap(torch.linalg.solve(normal, inputs.T @ after), dataset.step)
        return [fitted for _ in seeds]  # nothing is random here; otherwise one for each seed


class LinearMap(Predictor):
    """What has been learned, as a dynamical system: its state is the state of the system."""

    def __init__(self, coefficients: Tensor, step: float) -> None:
        self.coefficients = coefficients
        self.step = step

    @property
    def parameters(self) -> int:
        return self.coefficients.numel()

    def encode(self, past: Trajectories) -> Tensor:
        return past.states[:, -1]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        states = []
        steps = 0
        for offset in offsets:
            while steps < round(offset / self.step):
                state = with_one(state) @ self.coefficients
                steps += 1
            states.append(state)
        return torch.stack(states), steps

    def decode(self, state: Tensor) -> Tensor:
        return state.double()

    def weights(self) -> dict[str, Tensor]:
        return {"coefficients": self.coefficients}


def with_one(states: Tensor) -> Tensor:
    return torch.cat([states, torch.ones_like(states[..., :1])], dim=-1)
