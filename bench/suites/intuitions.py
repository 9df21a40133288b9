"""Trajectories or vector fields? One trajectory: how far ahead, on how much of it at once and how is a model trained?

After "Deep learning for dynamics: the intuitions": a stable spiral and Lorenz, 1,000 samples of a single trajectory.
Settings are the write-up's where it gives them, and the defaults of the learners elsewhere.
"""

from bench.suite import Suite
from learners import REFERENCES, NeuralODE, Training, WindowedRNN
from metrics import STANDARD, d_stsp
from systems import CubicSpiral, Lorenz, Sampling

WHOLE = Training(updates=2_000, batch=1_024)  # more than there are segments: all of them in each update
SOLVED = Training(updates=60, batch=1_024, optimiser="levenberg-marquardt")

suite = Suite(
    name="intuitions",
    description="Lookahead and batches of neural ODEs, and a windowed network, on one trajectory of 1,000 samples.",
    systems=(CubicSpiral(), Lorenz()),
    learners=(
        WindowedRNN(cell="rnn", window=3, training=Training(updates=2_000, batch=1_024)),
        NeuralODE(training=WHOLE),
        NeuralODE(lookahead=5, training=WHOLE),
        NeuralODE(lookahead=20, training=WHOLE),
        NeuralODE(training=Training(updates=2_000, batch=32)),
        NeuralODE(width=24, training=SOLVED),
        *REFERENCES,
    ),
    metrics=(*STANDARD, d_stsp),
    sampling=Sampling(step=0.009056, trajectories=1, valid=2, horizon=8.0, climate_horizon=100.0),
    unequal="an update of Levenberg's and Marquardt's method costs many of the others",
)
