"""Four chaotic systems, one a field, and two regular controls: who forecasts, who keeps the attractor, at what cost.

Settings are the learners' defaults, the same for every system: widths were chosen by hand on Lorenz (data seed 0), the
optimiser on the systems of `optimisers`. Each has as many updates as cost the same processor time on Lorenz, which
`python -m bench calibrate` has measured. `tune` finds other settings on validation data.

Rings of sites have learners of their own beside these, which know what a neighbour is and lose what the data do not
hold up: convolutions with damping and noise, in the time that the others take on the field. Their settings were chosen
by hand on Lorenz96(16) and the field (data seed 0).
"""

from dataclasses import replace
from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from learners import REFERENCES, IndependentTruth, NeuralODE, ODENet, ResNet, RKNet, WindowedRNN
from metrics import LONG_TERM, STANDARD
from systems import CubicSpiral, KuramotoSivashinsky, Lorenz, Lorenz96, Rossler, Sampling, VanDerPol

RECURRENT = (WindowedRNN(cell="rnn"), WindowedRNN(cell="gru"), WindowedRNN(cell="lstm"))
COMPARED = (*RECURRENT, NeuralODE(), ResNet(), RKNet(), ODENet())
ON_FIELDS = 5.0  # seconds of training a seed on Kuramoto-Sivashinsky, about what those take there
SITES: Any = {"network": "convolution", "patch": 2, "damping": 0.1, "noise": 0.001}
DEAR: Any = {"batch": 64, "validations": 5}  # twenty would take as long as the updates
FIELDS = (
    NeuralODE(**SITES, solver="euler", training=replace(NeuralODE().training, **DEAR)),
    ResNet(**SITES, blocks=1, training=replace(ResNet().training, **DEAR)),
)

suite = Suite(
    name="chaos",
    description="Recurrent networks, neural ODEs and residual networks on chaotic systems, beside regular controls.",
    systems=(CubicSpiral(), VanDerPol(), Lorenz(), Rossler(), Lorenz96(sites=10), KuramotoSivashinsky()),
    learners=(
        *in_equal_time(COMPARED),
        *in_equal_time(FIELDS, ON_FIELDS, "KuramotoSivashinsky"),
        *REFERENCES,
        IndependentTruth(),
    ),
    metrics=(*STANDARD, *LONG_TERM),
    sampling=Sampling(step=0.018112, horizon=16.0, climate_horizon=200.0),  # 0.02 time units for Lorenz
    data_seed=1,  # not the one on which the settings were chosen
    unequal="each has as many as cost the same processor time on Lorenz: 2.5 s a seed",
)
