"""Three rings of sites that no comparison shows: on them `tune` finds the settings of convolutions.

Settings were chosen by hand on Lorenz96(16) and the field at length 22 (data seed 0): with them tuning begins. The
shortest ring has fourteen sites, so that what is found there applies to one of ten.
"""

from dataclasses import replace
from typing import Any

from bench.equal_time import in_equal_time
from bench.suites.held_out import suite as held_out
from learners import NeuralODE, ResNet
from systems import KuramotoSivashinsky, Lorenz96

SECONDS = 5.0  # of training a seed on Kuramoto-Sivashinsky, about what the learners of `chaos` take there
SITES: Any = {"network": "convolution", "patch": 2, "damping": 0.1, "noise": 0.001}
DEAR: Any = {"batch": 64, "validations": 5}  # twenty would take as long as the updates
CONVOLUTIONS = (
    NeuralODE(**SITES, solver="euler", training=replace(NeuralODE().training, **DEAR)),
    ResNet(**SITES, blocks=1, training=replace(ResNet().training, **DEAR)),
)

suite = replace(
    held_out,
    name="held_out_fields",
    description="Neural ODEs and residual networks of convolutions, on three rings of sites that no comparison shows.",
    systems=(KuramotoSivashinsky(length=36.0, grid=96), Lorenz96(sites=14), Lorenz96(sites=20)),
    learners=in_equal_time(CONVOLUTIONS, SECONDS, "KuramotoSivashinsky"),
    sampling=replace(held_out.sampling, horizon=8.0),
    settings="chosen by hand on two other rings",
    unequal="each has as many as cost the same processor time on Kuramoto-Sivashinsky: 5 s a seed",
)
