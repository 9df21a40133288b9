"""An unknown right-hand side: does a network find it, with what data and time, and does it extrapolate?

After "Differential equations as a PyTorch neural network layer": Van der Pol's equations at mu = 0.2, 30 trajectories
about (0.5, 0.1) that are exact at their start, 100 points on [0, 30]; forecasts go on to 60. The network as published
is 2-8-16-32-2 with leaky ReLUs, trained on whole trajectories, 1,500 epochs of six minibatches, in steps of 0.1.
Settings of our own variant are the defaults with a lookahead that averages the noise; beside them the known form is
fitted.
"""

from bench.suite import Suite
from bench.suites.mechanistic import COSTS, START, observed
from learners import Mechanistic, NeuralODE, Persistence, Training, TrueEquations
from metrics import misfit, nrmse, parameter_error, vpt, vpt_capped
from systems import VanDerPol

SYSTEM = VanDerPol(mu=0.2)
TO = 60.0  # time units of a forecast
EPOCHS, MINIBATCHES = 1_500, 6
NETWORK = NeuralODE(
    lookahead=99,
    widths=(8, 16, 32),
    activation="leaky_relu",
    substeps=3,
    scaled=False,
    training=Training(
        updates=EPOCHS * MINIBATCHES, batch=5, learning_rate=1e-3, clip=1e9, schedule="constant", keep="last"
    ),
)

suite = Suite(
    name="neural",
    description="A neural right-hand side as published and as we train it, beside the fitted known form.",
    systems=(SYSTEM,),
    learners=(
        NETWORK,
        NeuralODE(lookahead=20, training=Training(updates=2_000)),
        Mechanistic(start=START, window=0),
        Persistence(),
        TrueEquations(),
    ),
    metrics=(nrmse, vpt, vpt_capped, parameter_error, misfit, *COSTS),
    sampling=observed(
        SYSTEM.timescale, 30 / 99, 30, 100, 0.1, centre=(0.5, 0.1), horizon=TO / SYSTEM.timescale, climate_horizon=20.0
    ),
    published=(NETWORK,),
    unequal="the network as published has as many updates as there; the known form needs few",
)
