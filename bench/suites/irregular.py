"""Irregular times and hidden channels: what do they cost a vector field, a latent state, a window?

Each system is observed at regular times, at jittered ones, and at jittered ones of which some are missing, and Lorenz
also by one channel alone. As many samples are given in each case; forecasts are scored on the regular grid.

Settings are the learners' defaults, but with fewer updates, by Adam; none was tuned to irregular data.
"""

from bench.suite import Suite
from learners import LatentODE, NeuralODE, Persistence, Training, TrainingMean, TrueEquations, WindowedRNN
from learners.delayed import Delayed
from metrics import STANDARD, cme, flops_update, peak_bytes, vpt_strict, zero_one_k
from systems import Lorenz, Sampling, VanDerPol
from systems.observation import Irregular, Partial

TRAINING = Training(updates=3_000)
OMITTED = (vpt_strict, cme, zero_one_k, flops_update, peak_bytes)  # of the standard metrics

suite = Suite(
    name="irregular",
    description="Regular times, irregular ones, and one channel of three: fields, latent states and windows.",
    systems=(
        VanDerPol(),
        Irregular(VanDerPol(), dropped=0.0),
        Irregular(VanDerPol()),
        Lorenz(),
        Irregular(Lorenz(), dropped=0.0),
        Irregular(Lorenz()),
        Partial(Lorenz()),
    ),
    learners=(
        NeuralODE(training=TRAINING),
        Delayed(NeuralODE(training=TRAINING)),
        LatentODE(window=8, lookahead=24),
        WindowedRNN(window=8, times="ignored", training=TRAINING),
        WindowedRNN(window=8, times="gaps", training=TRAINING),
        Persistence(),
        TrainingMean(),
        TrueEquations(),
    ),
    metrics=tuple(metric for metric in STANDARD if metric not in OMITTED),
    sampling=Sampling(
        step=0.018112, trajectories=16, samples=600, valid=4, test=64, horizon=8.0, climate=2, climate_horizon=20.0
    ),
    unequal="an update of a latent model solves segments of 32 samples, and costs many of the others",
)
