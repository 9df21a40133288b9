"""A basin that was never shown: does a model that was trained in one well know that there is another?

Settings are those of `chaos`.
"""

from bench.suite import Suite
from bench.suites.chaos import suite as chaos
from metrics import STANDARD, d_stsp
from systems import BistableDuffing, Sampling

suite = Suite(
    name="basins",
    description="An oscillator of two wells: trained on what ends in one, asked about what ends in the other.",
    systems=(BistableDuffing(),),
    learners=chaos.learners,
    metrics=(*STANDARD, d_stsp),
    sampling=Sampling(samples=400, climate=16, climate_horizon=20.0),
    data_seed=1,  # not one on which settings were chosen
    settings=chaos.settings,
    unequal=chaos.unequal,
)
