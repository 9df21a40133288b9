"""Oscillators from smooth to stiff, and stiff reactions: where do explicit and implicit solvers break?

Settings were found by `tune` with as many trials for each learner, on the oscillators and reactions of
`held_out_stiff`, none of which is shown here. Each learner has as many updates as cost the same processor time on the
oscillator at mu = 100.
"""

from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.held_out_stiff import SYSTEM
from bench.suites.tuned_held_out_stiff import suite as tuned
from learners import REFERENCES
from metrics import STANDARD, zero_one_k
from systems import Robertson, VanDerPol

TUNED: Any = tuned.learners

suite = Suite(
    name="stiff",
    description="Explicit and implicit solvers inside neural ODEs, and maps, as an oscillator becomes stiff.",
    systems=(VanDerPol(), VanDerPol(mu=10.0), VanDerPol(mu=100.0), VanDerPol(mu=1000.0), Robertson()),
    learners=(*in_equal_time(TUNED, system=SYSTEM), *REFERENCES),
    metrics=tuple(metric for metric in STANDARD if metric is not zero_one_k),
    sampling=tuned.sampling,
    data_seed=1,  # not one on which settings were chosen
    settings=f"{tuned.settings} of other stiff systems (held_out_stiff)",
    unequal=tuned.unequal,
)
