"""Irregular times and hidden channels: what do they cost a vector field, a latent state, a window?

Each system is observed at regular times, at jittered ones, and at jittered ones of which some are missing, and Lorenz
also by one channel alone. As many samples are given in each case; forecasts are scored on the regular grid.

Settings were found by `tune` with as many trials for each learner, on irregular times and single channels of the
systems of `held_out_irregular`, none of which is shown here. Each learner has as many updates as cost the same
processor time on Lorenz at regular times.
"""

from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.held_out_irregular import SECONDS
from bench.suites.tuned_held_out_irregular import suite as tuned
from learners import Persistence, TrainingMean, TrueEquations
from metrics import STANDARD, cme, flops_update, peak_bytes, vpt_strict, zero_one_k
from systems import Lorenz, VanDerPol
from systems.observation import Irregular, Partial

TUNED: Any = tuned.learners
OMITTED = (vpt_strict, cme, zero_one_k, flops_update, peak_bytes)  # of the standard metrics

suite = Suite(
    name="irregular",
    description="Regular times, irregular ones, and one channel of three: fields, latent states and windows.",
    systems=(
        VanDerPol(),
        Irregular(VanDerPol(), dropped=0.0),
        Irregular(VanDerPol()),
        Lorenz(),
        Irregular(Lorenz(), dropped=0.0),
        Irregular(Lorenz()),
        Partial(Lorenz()),
    ),
    learners=(*in_equal_time(TUNED, SECONDS), Persistence(), TrainingMean(), TrueEquations()),
    metrics=tuple(metric for metric in STANDARD if metric not in OMITTED),
    sampling=tuned.sampling,
    data_seed=1,  # not one on which settings were chosen
    settings=f"{tuned.settings} of other systems (held_out_irregular)",
    unequal=tuned.unequal,
)
