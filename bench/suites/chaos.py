"""Four chaotic systems, one a field, and two regular controls: who forecasts, who keeps the attractor, at what cost.

Settings are the learners' defaults, the same for every system: widths were chosen by hand on Lorenz (data seed 0), the
optimiser on the systems of `optimisers`. Each has as many updates as cost the same processor time on Lorenz, which
`python -m bench calibrate` has measured. `tune` finds other settings on validation data.
"""

from bench.equal_time import in_equal_time
from bench.suite import Suite
from learners import REFERENCES, IndependentTruth, NeuralODE, ODENet, ResNet, RKNet, WindowedRNN
from metrics import LONG_TERM, STANDARD
from systems import CubicSpiral, KuramotoSivashinsky, Lorenz, Lorenz96, Rossler, Sampling, VanDerPol

RECURRENT = (WindowedRNN(cell="rnn"), WindowedRNN(cell="gru"), WindowedRNN(cell="lstm"))
COMPARED = (*RECURRENT, NeuralODE(), ResNet(), RKNet(), ODENet())

suite = Suite(
    name="chaos",
    description="Recurrent networks, neural ODEs and residual networks on chaotic systems, beside regular controls.",
    systems=(CubicSpiral(), VanDerPol(), Lorenz(), Rossler(), Lorenz96(sites=10), KuramotoSivashinsky()),
    learners=(*in_equal_time(COMPARED), *REFERENCES, IndependentTruth()),
    metrics=(*STANDARD, *LONG_TERM),
    sampling=Sampling(step=0.018112, horizon=16.0, climate_horizon=200.0),  # 0.02 time units for Lorenz
    data_seed=1,  # not the one on which the settings were chosen
    unequal="each has as many as cost the same processor time on Lorenz: 2.5 s a seed",
)
