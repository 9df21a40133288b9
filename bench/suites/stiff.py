"""Oscillators from smooth to stiff, and stiff reactions: where do explicit and implicit solvers break?

Settings are the learners' defaults, but with fewer updates, by Adam; none was tuned to a stiff system.
"""

from bench.suite import Suite
from learners import REFERENCES, NeuralODE, ResNet, RKNet, Training, WindowedRNN
from metrics import STANDARD, zero_one_k
from systems import Robertson, Sampling, VanDerPol

BRIEF = Training(updates=1_500)

suite = Suite(
    name="stiff",
    description="Explicit and implicit solvers inside neural ODEs, and maps, as an oscillator becomes stiff.",
    systems=(VanDerPol(), VanDerPol(mu=10.0), VanDerPol(mu=100.0), VanDerPol(mu=1000.0), Robertson()),
    learners=(
        WindowedRNN(training=BRIEF),
        ResNet(training=BRIEF),
        NeuralODE(training=BRIEF),
        NeuralODE(solver="rosenbrock", training=BRIEF),
        RKNet(training=Training(updates=300)),
        *REFERENCES,
    ),
    metrics=tuple(metric for metric in STANDARD if metric is not zero_one_k),
    sampling=Sampling(
        trajectories=8, samples=250, valid=2, test=16, context=8, horizon=2.0, climate=2, climate_horizon=8.0
    ),
    unequal="adaptive solvers take many steps in an update on stiff data",
)
