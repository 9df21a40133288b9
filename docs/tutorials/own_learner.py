# %% [markdown]
# # A learner of your own
#
# A learner is a frozen dataclass, whose fields are its settings, with one method: `fit_replicas` gives a predictor
# for each seed. A predictor says how it goes forward in time. That is all: every system, metric, table and figure
# applies to it.
#
# This one is a linear map of the last few samples, fitted by least squares.

# %%
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import bench
from learners import Budget, Learner, Predictor
from metrics import nrmse, vpt
from systems import Dataset, Sampling, Trajectories, VanDerPol, sample


@dataclass(frozen=True)
class LinearMemory(Learner):
    """The next sample as a linear map of the last few."""

    memory: int = 4  # samples

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        windows = dataset.train.states.unfold(1, self.memory + 1, 1)  # [batch, window, dim, memory + 1]
        windows = windows.transpose(2, 3).flatten(0, 1)  # [window, memory + 1, dim]
        inputs, targets = with_one(windows[:, :-1]), windows[:, -1]
        weights = torch.linalg.lstsq(inputs, targets, driver="gelsd").solution
        return [LinearMap(weights, self.memory, dataset.step)] * len(seeds)  # nothing is random


class LinearMap(Predictor):
    """What LinearMemory fits; its state is the last few samples."""

    def __init__(self, weights: Tensor, memory: int, step: float) -> None:
        self.map, self.memory, self.step = weights, memory, step
        self.least_past = memory

    @property
    def parameters(self) -> int:
        return self.map.numel()

    def encode(self, past: Trajectories) -> Tensor:
        return past.states[:, -self.memory :]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        places = [round(offset / self.step) for offset in offsets]  # in samples
        states = {}
        for place in range(1, places[-1] + 1):
            state = torch.cat([state[:, 1:], (with_one(state) @ self.map)[:, None]], dim=1)
            states[place] = state
        return torch.stack([states[place] for place in places]), places[-1]

    def decode(self, state: Tensor) -> Tensor:
        return state[..., -1, :]


def with_one(windows: Tensor) -> Tensor:
    """Windows `[batch, memory, dim]` as rows of numbers, with a 1 at the end for the constant."""
    return torch.cat([windows.flatten(1), torch.ones_like(windows[:, 0, :1])], dim=1)


# %% [markdown]
# First by itself, on one set of data:

# %%
data = sample(VanDerPol(), Sampling(samples=300, test=32, horizon=4.0, climate_horizon=20.0), seed=0)
model = LinearMemory().fit(data)
print(data, model, sep="\n")
bench.evaluate(model, data, [nrmse, vpt])

# %% [markdown]
# Then in the table, beside a learner of the package and the reference rows. More memory is another row, since each
# setting of the dataclass is part of the learner's name.

# %%
run = bench.run(
    "smoke",
    systems=[VanDerPol()],
    learners=[LinearMemory(), LinearMemory(memory=16), "NVAR"],
    seeds=2,
)
run.leaderboard()

# %%
run.figure("prediction_times")

# %% [markdown]
# The same class in a file, with a suite at its end, is run from the command line: see
# [A learner, a system, data of your own](../own.md). `python -m bench new learner NAME` writes such a linear map
# by least squares, `new network NAME` a small network that trains; each with a test that holds it to what every learner
# promises.
