"""Beyond ordinary differential equations: noise, events, constraints, delays.

Settings are the learners' defaults, but with fewer updates, by Adam; none was tuned.
"""

from dataclasses import replace

from bench.suite import Suite
from learners import (
    Climatology,
    IndependentTruth,
    NeuralDDE,
    NeuralODE,
    NeuralSDE,
    Persistence,
    Training,
    TrainingMean,
    TrueEquations,
)
from learners.delayed import Delayed
from metrics import ATTRACTOR, PROBABILISTIC, STANDARD, cme, vpt_strict, zero_one_k
from systems import (
    BouncingBall,
    ConstrainedPendulum,
    DoubleScroll,
    GeometricBrownianMotion,
    MackeyGlass,
    Sampling,
    StochasticLorenz,
)
from systems.flows.mackey_glass import LARGEST_EXPONENT
from systems.observation import Partial

BRIEF = Training(updates=3_000)
OMITTED = (vpt_strict, cme, zero_one_k)  # of the standard metrics

PRESENT = Partial(MackeyGlass(), channels=(31,))  # the last channel of the history is what there is now
SAMPLING = Sampling(trajectories=16, samples=500, valid=4, test=32, context=24, horizon=4.0, climate_horizon=30.0)
TWENTIETHS = 17 / 20 * LARGEST_EXPONENT  # of the delay, in timescales

suite = Suite(
    name="beyond",
    description="Noise, whose forecasts are distributions; bounces and switches; a constraint to keep; a delay.",
    systems=(
        GeometricBrownianMotion(),
        StochasticLorenz(),
        BouncingBall(),
        DoubleScroll(),
        ConstrainedPendulum(),
        PRESENT,
    ),
    learners=(
        NeuralODE(training=BRIEF),
        NeuralSDE(training=BRIEF),
        NeuralDDE(training=BRIEF),
        Delayed(NeuralODE(training=BRIEF), delays=2, stride=10),
        Persistence(),
        TrainingMean(),
        Climatology(),
        TrueEquations(),
        IndependentTruth(),
    ),
    metrics=(*PROBABILISTIC, *(metric for metric in STANDARD if metric not in OMITTED), *ATTRACTOR),
    sampling=SAMPLING,
    own=((PRESENT, replace(SAMPLING, step=TWENTIETHS, horizon=2.0, climate_horizon=10.0)),),
    unequal="adaptive solvers, paths that are drawn, and states that are windows cost more an update",
)
