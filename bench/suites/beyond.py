"""Beyond ordinary differential equations: noise, events, constraints, delays.

Settings were found by `tune` with as many trials for each learner, on the systems of `held_out_beyond`, none of which
is shown here. Each learner has as many updates as cost the same processor time on a stochastic Lorenz system.
"""

from dataclasses import replace
from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.held_out_beyond import SYSTEM
from bench.suites.tuned_held_out_beyond import suite as tuned
from learners import Climatology, IndependentTruth, Persistence, TrainingMean, TrueEquations
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

TUNED: Any = tuned.learners
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
        *in_equal_time(TUNED, system=SYSTEM),
        Persistence(),
        TrainingMean(),
        Climatology(),
        TrueEquations(),
        IndependentTruth(),
    ),
    metrics=(*PROBABILISTIC, *(metric for metric in STANDARD if metric not in OMITTED), *ATTRACTOR),
    sampling=SAMPLING,
    data_seed=1,  # not one on which settings were chosen
    own=((PRESENT, replace(SAMPLING, step=TWENTIETHS, horizon=2.0, climate_horizon=10.0)),),
    settings=f"{tuned.settings} of other systems (held_out_beyond)",
    unequal=tuned.unequal,
)
