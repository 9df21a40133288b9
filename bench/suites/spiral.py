"""Trajectories or vector fields? One trajectory of a stable spiral: how rough are models, and does lookahead matter?

After "Deep learning for dynamics: the intuitions": (2, 0), 1,000 samples on [0, 25]. Forecasts start from states inside
of that trajectory, and once more from where it starts itself. Settings marked as published are the write-up's, as in
`intuitions`, with neural ODEs of 2-128-2; beside them stand our own, at the defaults of the learners but for Adam.
"""

from dataclasses import replace

from bench.suite import Suite
from bench.suites.intuitions import FIELD, RECURRENT, SAMPLES, WHOLE, in_training
from learners import REFERENCES, NeuralODE, WindowedRNN
from metrics import STANDARD, zero_one_k
from systems import CubicSpiral, Sampling
from systems.observation import Retraced

SPIRAL = CubicSpiral()
NARROW = replace(FIELD, width=128)
PUBLISHED = (
    RECURRENT,
    replace(RECURRENT, window=10),
    NARROW,
    *in_training(RECURRENT, replace(RECURRENT, window=10), NARROW),
    *(replace(NARROW, lookahead=lookahead) for lookahead in (5, 20, 100)),
)

suite = Suite(
    name="spiral",
    description="Windowed networks and neural ODEs on one trajectory of a stable spiral, as published and as we do.",
    systems=(SPIRAL, Retraced(SPIRAL)),
    learners=(
        *PUBLISHED,
        WindowedRNN(cell="rnn", window=3, training=WHOLE),
        *(NeuralODE(lookahead=lookahead, training=WHOLE) for lookahead in (1, 5, 20)),
        *REFERENCES,
    ),
    metrics=tuple(metric for metric in STANDARD if metric is not zero_one_k),
    sampling=Sampling(
        step=25 / (SAMPLES - 1) / SPIRAL.timescale,
        trajectories=1,
        samples=SAMPLES,
        valid=2,
        context=10,
        centre=(2.0, 0.0),
        elsewhere=True,
        horizon=(SAMPLES - 11) * 25 / (SAMPLES - 1) / SPIRAL.timescale,  # to the end of the trajectory
        climate=2,
        climate_horizon=20.0,
    ),
    published=PUBLISHED,
    unequal="networks as published have as many as there",
)
