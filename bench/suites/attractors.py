"""Whose long runs are the attractor, from noisy data? Recurrent networks by teacher forcing beside neural ODEs.

Lorenz, 100,000 samples 0.01 time units apart with noise of 5 %, as almost-linear networks were published on them: 20
units, of which two are rectified, after 100,000 updates. The others have as many updates as cost the same processor
time on Lorenz, 5 s a seed. Settings are the published ones or the defaults, with a lookahead for noisy data.

Brenner, Hemmer, Monfared and Durstewitz, "Almost-linear RNNs yield highly interpretable symbolic codes in dynamical
systems reconstruction", NeurIPS 2024; Hess et al., ICML 2023.
"""

from bench.equal_time import in_equal_time
from bench.suite import Suite
from learners import PLRNN, REFERENCES, IndependentTruth, NeuralODE, ResNet, StatefulRNN, Training, WindowedRNN
from metrics import LONG_TERM, STANDARD
from systems import Lorenz, Sampling

STEP, CONTEXT = 0.01, 32  # time units, samples
SECONDS = 5.0  # of training a seed
ALMOST_LINEAR = PLRNN(
    form="almost-linear",
    hidden=17,
    nonlinear=2,
    lookahead=64,
    interval=16,
    training=Training(updates=100_000, batch=16, learning_rate=3e-3),
)
FORCED = (PLRNN(), PLRNN(form="dendritic"), StatefulRNN())
SAMPLING = Sampling(
    step=STEP / Lorenz().timescale,
    trajectories=20,
    samples=5_000,
    valid=2,
    test=32,
    context=CONTEXT,
    horizon=8.0,
    climate=4,
    climate_horizon=100.0,
    noise=0.05,
)

suite = Suite(
    name="attractors",
    description="Recurrent networks by teacher forcing beside neural ODEs: whose long runs are Lorenz' attractor?",
    systems=(Lorenz(),),
    learners=(
        ALMOST_LINEAR,
        *in_equal_time((*FORCED, WindowedRNN(), NeuralODE(), NeuralODE(lookahead=10), ResNet()), SECONDS),
        *REFERENCES,
        IndependentTruth(),
    ),
    metrics=(*STANDARD, *LONG_TERM),
    sampling=SAMPLING,
    published=(ALMOST_LINEAR,),
    unequal="the network as published has as many updates as there, the others as many as cost 5 s a seed on Lorenz",
)
