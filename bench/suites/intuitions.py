"""Trajectories or vector fields? One trajectory of Lorenz: what do its models settle on, and what helps them?

After "Deep learning for dynamics: the intuitions": (-8, 7, 27), 1,000 samples on [0, 10]. Settings marked as published
are the write-up's: networks of physical states in full batches at constant rates, whose last weights count. Recurrent
ones (ReLU, two layers of 128) give the next state itself; neural ODEs are 3-256-3 with ReLU. Beside them stand our own,
better trained, at the defaults of the learners but for Adam. `spiral` is the same on a stable system, `lookahead` a
sweep of that.
"""

from dataclasses import replace
from typing import Any

from bench.suite import Suite
from learners import REFERENCES, Learner, NeuralODE, Training, WindowedRNN
from metrics import SETTLES_ON, STANDARD, d_stsp
from systems import Lorenz, Sampling

SAMPLES = 1_000
PLAIN = Training(updates=2_000, batch=1_024, clip=1e9, schedule="constant", drop=0.5, keep="last")  # no clip at all
STEADY = replace(PLAIN, drop=1.0)
LATEST = (2_000, 1_900, 1_800)  # updates after which the attractor is looked at, where the rate is constant
STAGES = tuple(replace(STEADY, updates=updates) for updates in (250, 1_000))  # of the 2,000
RECURRENT = WindowedRNN(cell="relu", window=3, hidden=128, layers=2, target="state", scaled=False, training=PLAIN)
FIELD = NeuralODE(width=256, depth=1, activation="relu", scaled=False, training=replace(PLAIN, drop=0.9))


def in_training(*learners: Any) -> tuple[Learner, ...]:
    """The learners as they are before the end of their training."""
    return tuple(replace(learner, training=stage) for learner in learners for stage in STAGES)


PUBLISHED = (
    RECURRENT,
    replace(RECURRENT, window=10),
    FIELD,
    *in_training(RECURRENT, replace(RECURRENT, window=10), FIELD),
    *(
        replace(FIELD, lookahead=10, training=replace(STEADY, updates=updates, batch=batch))
        for batch in (1_024, 20)
        for updates in LATEST
    ),
)

WHOLE = Training(updates=2_000, batch=1_024)  # more than there are segments: all of them in each update
SOLVED = Training(updates=60, batch=1_024, optimiser="levenberg-marquardt")
LORENZ = Lorenz()

suite = Suite(
    name="intuitions",
    description="Windowed networks and neural ODEs on one trajectory of Lorenz, as published and as we train them.",
    systems=(LORENZ,),
    learners=(
        *PUBLISHED,
        WindowedRNN(cell="rnn", window=3, training=WHOLE),
        NeuralODE(training=WHOLE),
        NeuralODE(lookahead=5, training=WHOLE),
        NeuralODE(lookahead=20, training=WHOLE),
        NeuralODE(training=Training(updates=2_000, batch=32)),
        NeuralODE(width=24, training=SOLVED),
        *REFERENCES,
    ),
    metrics=(*STANDARD, d_stsp, *(metric for metric in SETTLES_ON if metric not in STANDARD)),
    sampling=Sampling(
        step=10 / (SAMPLES - 1) / LORENZ.timescale,
        trajectories=1,
        samples=SAMPLES,
        valid=2,
        centre=(-8.0, 7.0, 27.0),
        elsewhere=True,
        horizon=8.0,
        climate_horizon=90.65,  # 10,000 samples
    ),
    published=PUBLISHED,
    unequal="networks as published have as many as there; an update of Levenberg's and Marquardt's costs many others",
)
