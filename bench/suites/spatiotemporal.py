"""Chaos in space and time, on rings of sites: who forecasts the field, and who keeps it within bounds?

Each learner has as many updates as cost the same processor time on the field, four times as long as in `chaos`, whose
convolutions stand beside dense networks of 256 units a layer. Settings of the former were found by `tune` on the rings
of `held_out_fields`, none of which is shown here; those of dense networks were chosen by hand on Kuramoto-Sivashinsky
(data seed 0).
"""

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.chaos import TUNED_CONVOLUTIONS
from learners import REFERENCES, IndependentTruth, NeuralODE, ResNet, WindowedRNN
from metrics import STANDARD, d_h
from systems import KuramotoSivashinsky, Lorenz96, Sampling

SECONDS = 20.0  # of training a seed on Kuramoto-Sivashinsky
DENSE = (
    WindowedRNN(hidden=256),
    NeuralODE(width=256, damping=0.1, noise=0.01),
    ResNet(blocks=1, width=256, noise=0.01),
)

suite = Suite(
    name="spatiotemporal",
    description="Recurrent networks, neural ODEs and residual networks, dense and convolutional, on fields on a ring.",
    systems=(KuramotoSivashinsky(), Lorenz96(sites=40)),
    learners=(
        *in_equal_time((*DENSE, *TUNED_CONVOLUTIONS), SECONDS, "KuramotoSivashinsky"),
        *REFERENCES,
        IndependentTruth(),
    ),
    metrics=(*STANDARD, d_h),
    sampling=Sampling(step=0.0237, trajectories=64, horizon=8.0, climate=16),  # 0.5 time units of the former
    data_seed=1,  # not one on which settings were chosen
    settings="of convolutions those of chaos, of dense networks by hand",
    unequal="each has as many as cost the same processor time on Kuramoto-Sivashinsky: 20 s a seed",
)
