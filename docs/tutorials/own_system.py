# %% [markdown]
# # A system of your own
#
# A flow is a frozen dataclass, whose fields are its parameters, with a velocity, a time scale, and a draw of initial
# states. This is Duffing's oscillator in a double well.

# %%
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import bench
from results.figures.simulated import simulated
from systems import Flow, Sampling, certify, sample


@dataclass(frozen=True)
class Duffing(Flow):
    """x' = y,  y' = x - x^3 - damping y. One timescale is the period of small oscillations in a well."""

    damping: float = 0.1

    timescale_name = "period"

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 2 * pi / sqrt(2)

    def initial_states(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(-1.5, 1.5, (count, 2))

    def velocity(self, t: float | Tensor, x: Tensor) -> Tensor:
        position, speed = x.unbind(-1)
        return torch.stack([speed, position - position**3 - self.damping * speed], dim=-1)


# %%
data = sample(Duffing(), Sampling(trajectories=12, samples=300, test=32, horizon=4.0, climate_horizon=20.0), seed=0)
simulated(data.train.times.numpy(), data.train.states.numpy(), "Duffing")

# %% [markdown]
# Is its reference solution true? A certificate holds it against a tighter run, and measures for how many timescales
# the two agree: no forecast is scored beyond that. What else is known of a system (an exponent, a period, an
# invariant) is written into its class, and then checked, too.

# %%
pd.DataFrame(certify(Duffing()).checks)[["name", "value", "kind", "expected", "tolerance", "source"]]

# %% [markdown]
# Learners of the package on it, and the reference rows:

# %%
run = bench.run("smoke", systems=[Duffing()], learners=["NeuralODE", "ResNet", "NVAR"], seeds=2)
run.leaderboard()

# %%
run.figure("error_growth")

# %% [markdown]
# CONTRIBUTING.md shows how a system joins the package: one file, and one name in `systems/__init__.py`.
