"""Chaos on a field nine times as long: do local networks forecast Kuramoto-Sivashinsky at length 200 as they do at 22?

Its attractor has a dimension of about 44, in place of 5. The convolutions are those of `chaos`, with as many updates.
Settings were chosen there, none here. Dense networks would have weights for each pair of 512 sites, and are left out.
"""

from bench.suite import Suite
from bench.suites.chaos import FIELDS
from learners import Analogue, IndependentTruth, Persistence, TrainingMean, TrueEquations
from metrics import STANDARD, d_h
from systems import KuramotoSivashinsky, Sampling

FIELD = KuramotoSivashinsky(length=200.0, grid=512)

suite = Suite(
    name="large_field",
    description="Convolutions on Kuramoto-Sivashinsky at length 200, whose attractor has 44 dimensions.",
    systems=(FIELD,),
    learners=(
        *FIELDS,
        Persistence(),
        TrainingMean(),
        Analogue(),
        TrueEquations(),
        IndependentTruth(),
    ),
    metrics=(*STANDARD, d_h),
    sampling=Sampling(
        step=0.5 / FIELD.timescale, trajectories=16, samples=400, valid=4, test=16, horizon=8.0, climate=4
    ),
    unequal="each has as many updates as in chaos, which cost the same processor time at length 22",
    data_seed=1,
)
