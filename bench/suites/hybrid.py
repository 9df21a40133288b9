"""How many trajectories do known equations, half-known equations, wrong ones and no equations at all need?

A hybrid adds a network to equations without a coupling; or to the complete ones, whose parameters it learns, or which
have wrong parameters, those that the fits of `mechanistic` start from. Settings are the learners' defaults with fewer
updates; none was tuned.
"""

from bench.suite import Suite
from bench.suites.mechanistic import COSTS, START
from learners import HybridODE, Mechanistic, NeuralODE, Persistence, Training, TrueEquations
from learners.fewer_trajectories import Fewer
from metrics import nrmse, parameter_error, vpt, vpt_capped
from systems import Lorenz, LotkaVolterra, Sampling

TRAINING = Training(updates=1_500, learning_rate=3e-3, clip=1e9, optimiser="soap")
SIZES = (1, 2, 4, 8, 16)
ENDS = (1, 16)
COMPLETE = HybridODE(missing=(), training=TRAINING)
WRONG = HybridODE(missing=(), learned=False, start=START, training=TRAINING)
MODELS = (Mechanistic(), HybridODE(training=TRAINING), NeuralODE(training=TRAINING))

suite = Suite(
    name="hybrid",
    description="Mechanistic, hybrid and neural right-hand sides on 1, 2, 4, 8 and 16 noisy training trajectories.",
    systems=(LotkaVolterra(), Lorenz()),
    learners=(
        *(Fewer(model, trajectories=size) for model in MODELS for size in SIZES),
        *(Fewer(model, trajectories=size) for model in (COMPLETE, WRONG) for size in ENDS),
        Persistence(),
        TrueEquations(),
    ),
    metrics=(nrmse, vpt, vpt_capped, parameter_error, *COSTS),
    sampling=Sampling(trajectories=16, samples=100, valid=1, noise=0.01, horizon=10.0, climate=2),
)
