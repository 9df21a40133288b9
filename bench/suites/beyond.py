"""Beyond ordinary differential equations: noise, events, constraints.

Settings are the learners' defaults with fewer updates; none was tuned.
"""

from bench.suite import Suite
from learners import (
    Climatology,
    IndependentTruth,
    NeuralODE,
    NeuralSDE,
    Persistence,
    Training,
    TrainingMean,
    TrueEquations,
)
from metrics import ATTRACTOR, PROBABILISTIC, STANDARD, cme, vpt_strict, zero_one_k
from systems import BouncingBall, ConstrainedPendulum, DoubleScroll, GeometricBrownianMotion, Sampling, StochasticLorenz

BRIEF = Training(updates=3_000)
OMITTED = (vpt_strict, cme, zero_one_k)  # of the standard metrics

suite = Suite(
    name="beyond",
    description="Noise, whose forecasts are distributions; bounces and switches; a constraint that should be kept.",
    systems=(GeometricBrownianMotion(), StochasticLorenz(), BouncingBall(), DoubleScroll(), ConstrainedPendulum()),
    learners=(
        NeuralODE(training=BRIEF),
        NeuralSDE(training=BRIEF),
        Persistence(),
        TrainingMean(),
        Climatology(),
        TrueEquations(),
        IndependentTruth(),
    ),
    metrics=(*PROBABILISTIC, *(metric for metric in STANDARD if metric not in OMITTED), *ATTRACTOR),
    sampling=Sampling(trajectories=16, samples=500, valid=4, test=32, context=24, horizon=4.0, climate_horizon=30.0),
    unequal="adaptive solvers, paths that are drawn, and states that are windows cost more an update",
)
