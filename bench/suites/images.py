"""Continuous depth on the embedded digits: residual and ODE networks beside a perceptron, and what depth costs.

`DenseODEClassifier` is a solve between two dense layers, as in "DiffEqFlux". The paper of neural ODEs solved by
implicit Adams methods: one ODE-Net does, too. Another is held to a tolerance at which steps are too many to hide
whether they become more as training goes on.

Settings are the paper's network, narrower; rates and updates were chosen by hand.
"""

from bench.suite import Suite
from learners import DenseODEClassifier, MLPClassifier, ODENetClassifier, ResNetClassifier, RKNetClassifier
from metrics import CLASSIFICATION, DEPTH
from systems import Digits, ImageSampling

suite = Suite(
    name="images",
    description="Residual networks and networks of continuous depth on small images: error, memory, evaluations.",
    systems=(Digits(),),
    learners=(
        ResNetClassifier(width=16),
        RKNetClassifier(width=16),
        ODENetClassifier(width=16),
        ODENetClassifier(width=16, solver="adams"),
        ODENetClassifier(width=16, tolerance=1e-5),
        DenseODEClassifier(),
        MLPClassifier(),
    ),
    metrics=(*CLASSIFICATION, *DEPTH),
    sampling=ImageSampling(valid=180, test=360),
    seeds=5,
)
