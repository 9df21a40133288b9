"""The truth's own score: another trajectory of the system in the place of a forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import FREE, Budget, Learner, Predictor, Unsuitable
from systems import Dataset, Simulated, Stochastic, Trajectories
from systems.configuration import label
from systems.solvers.dop853 import STATISTICS_TOLERANCE

TRAJECTORIES = 16  # that are solved at the most; more forecasts than that share them


@dataclass(frozen=True)
class IndependentTruth(Learner):
    """Forecasts other trajectories of the true system, from states of their own: what is left is the scores' noise.

    No model can be told from the truth by a score of long runs that is as good as this one's. Each seed draws states
    anew, as the system draws those of the long runs.
    """

    reference: ClassVar[bool] = True

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        system = dataset.system
        if not isinstance(system, Simulated | Stochastic):
            raise Unsuitable(f"IndependentTruth needs a system that can be simulated, but {label(system)} cannot")
        return [OtherTrajectories(system, dataset, seed) for seed in seeds]


class OtherTrajectories(Predictor):
    """Trajectories of a system that have nothing to do with the past that they are asked to go on from."""

    differentiable = False
    log = FREE

    def __init__(self, system: Simulated | Stochastic, dataset: Dataset, seed: int) -> None:
        self.system = system
        self.channels, self.sampling = dataset.channels, dataset.sampling
        self.entropy = (dataset.seed, seed, 1, 1)  # four numbers: the streams of the data have three

    @property
    def parameters(self) -> int:
        return 0

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        count = min(len(past), TRAJECTORIES)
        rng = np.random.default_rng(self.entropy)
        if self.sampling.centred("climate"):
            drawn = self.sampling.starts(count, self.system.dim, rng)
        elif isinstance(self.system, Stochastic):
            drawn = self.system.initial_states(count, rng)
        else:
            drawn = self.system.starts("climate", count, rng)
        return torch.from_numpy(drawn[np.arange(len(past)) % count]).to(past.states.device)

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return state[..., self.channels]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        different, places = np.unique(state.numpy(force=True), axis=0, return_inverse=True)
        times = np.array([0.0, *offsets])
        if isinstance(self.system, Stochastic):
            solution = self.system.path(different, times, np.random.default_rng(self.entropy))
        else:
            solution = self.system.solve(different, times, STATISTICS_TOLERANCE)
        solution = solution[places.ravel(), 1:]
        return torch.from_numpy(solution).to(state).transpose(0, 1), 0
