"""Chaos in space and time, on rings of sites: who forecasts the field, and who keeps it within bounds?

Each learner has as many updates as cost the same processor time on the field, four times as long as in `chaos`, whose
convolutions stand beside dense networks. Settings were found by `tune` with as many trials for each learner, in a
quarter of this time, on three rings that are not shown here: `tuned_held_out_fields` has those of the former,
`tuned_held_out_dense` those of the latter. For so long, wider ones are better on one of the two: those of 256 units a
layer, chosen by hand on Kuramoto-Sivashinsky (data seed 0), stand beside them.
"""

from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.chaos import TUNED_CONVOLUTIONS
from bench.suites.held_out_dense import DENSE
from bench.suites.tuned_held_out_dense import suite as tuned
from learners import REFERENCES, IndependentTruth
from metrics import STANDARD, d_h
from systems import KuramotoSivashinsky, Lorenz96, Sampling

SECONDS = 20.0  # of training a seed on Kuramoto-Sivashinsky
TUNED: Any = tuned.learners

suite = Suite(
    name="spatiotemporal",
    description="Recurrent networks, neural ODEs and residual networks, dense and convolutional, on fields on a ring.",
    systems=(KuramotoSivashinsky(), Lorenz96(sites=40)),
    learners=(
        *in_equal_time((*DENSE, *TUNED, *TUNED_CONVOLUTIONS), SECONDS, "KuramotoSivashinsky"),
        *REFERENCES,
        IndependentTruth(),
    ),
    metrics=(*STANDARD, d_h),
    sampling=Sampling(step=0.0237, trajectories=64, horizon=8.0, climate=16),  # 0.5 time units of the former
    data_seed=1,  # not one on which settings were chosen
    settings=f"{tuned.settings} of other rings; of networks of 256 units by hand",
    unequal="each has as many as cost the same processor time on Kuramoto-Sivashinsky: 20 s a seed",
)
