"""Every learner on two small systems with hardly any training: does the whole path work?

Settings are those with which tuning begins, and of convolutions those of `chaos`.
"""

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.chaos import OTHERS
from bench.suites.held_out import COMPARED
from learners import Budget
from metrics import STANDARD
from systems import LinearSpiral, Lorenz, Sampling

suite = Suite(
    name="smoke",
    description="Every learner on a regular and a chaotic flow with hardly any training: does the whole path work?",
    systems=(LinearSpiral(), Lorenz()),
    learners=(*in_equal_time(COMPARED), *OTHERS),
    metrics=STANDARD,
    sampling=Sampling(
        step=0.018112, trajectories=8, samples=200, valid=2, test=16, horizon=4.0, climate=1, climate_horizon=120.0
    ),
    seeds=2,
    data_seed=1,  # not the one on which the settings were chosen
    budgets={"quick": Budget(0.03), "standard": Budget(0.1), "paper": Budget(1.0)},
    unequal="each has a fraction of the updates that cost the same processor time on Lorenz",
)
