"""Irregular times, and one channel of three, of systems that no comparison shows: on them `tune` finds settings.

Settings with which tuning begins are the learners' defaults, chosen by hand on regular samples of Lorenz (data seed 0).
"""

from dataclasses import replace

from bench.equal_time import in_equal_time
from bench.suites.held_out import suite as held_out
from learners import LatentODE, NeuralODE, WindowedRNN
from learners.delayed import Delayed
from systems import Sampling, Sprott, VanDerPol
from systems.observation import Irregular, Partial

SECONDS = 5.0  # of training a seed on Lorenz, since latent models are dear
COMPARED = (
    NeuralODE(),
    Delayed(NeuralODE()),
    LatentODE(window=8, lookahead=24),
    WindowedRNN(window=8, times="ignored"),
    WindowedRNN(window=8, times="gaps"),
)

suite = replace(
    held_out,
    name="held_out_irregular",
    description="Vector fields, latent states and windows, on irregular times and single channels of three systems.",
    systems=(Partial(Sprott("O")), Partial(Sprott("L")), Irregular(Sprott("O")), Irregular(VanDerPol(mu=2.0))),
    learners=in_equal_time(COMPARED, SECONDS),
    sampling=Sampling(
        step=0.018112, trajectories=16, samples=600, valid=4, test=64, horizon=8.0, climate=2, climate_horizon=20.0
    ),
    unequal="each has as many as cost the same processor time on Lorenz: 5 s a seed",
)
