"""What any reviewer would ask for beside networks: reservoirs, autoregressions, sparse equations, attention.

Settings are the learners' defaults, chosen by hand on Lorenz (data seed 0); `tune` gives each as many trials.
"""

from bench.suite import Suite
from learners import DMD, NVAR, REFERENCES, NeuralODE, Reservoir, ResNet, SINDy, Transformer, WindowedRNN
from metrics import STANDARD
from systems import Lorenz, Lorenz96, Rossler, Sampling

suite = Suite(
    name="references",
    description="Reservoir computing, autoregression, sparse regression and attention beside the networks of chaos.",
    systems=(Lorenz(), Rossler(), Lorenz96(sites=10)),
    learners=(
        Reservoir(),
        NVAR(),
        DMD(),
        SINDy(),
        Transformer(),
        WindowedRNN(cell="lstm"),
        NeuralODE(),
        ResNet(),
        *REFERENCES,
    ),
    metrics=STANDARD,
    sampling=Sampling(step=0.018112, horizon=16.0, climate_horizon=200.0),
    data_seed=1,  # not the one on which the settings were chosen
    unequal="the settings are those of chaos",
)
