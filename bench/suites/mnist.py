"""Continuous depth on MNIST at full width: 1, 5 and 160 epochs as budgets quick, standard and paper.

Settings are the paper's networks, and beside them the solve between two dense layers of "DiffEqFlux"; rates and
updates were chosen by hand on the embedded digits.
"""

from bench.suite import Suite
from learners import (
    Budget,
    DenseODEClassifier,
    MLPClassifier,
    ODENetClassifier,
    ResNetClassifier,
    RKNetClassifier,
    Training,
)
from metrics import CLASSIFICATION, DEPTH
from systems import MNIST, ImageSampling

EPOCH = 58_000 // 128  # updates
training = Training(updates=5 * EPOCH, batch=128, learning_rate=3e-3, validations=10)

suite = Suite(
    name="mnist",
    description="Residual networks and networks of continuous depth on MNIST, as in Chen et al., 2018.",
    systems=(MNIST(),),
    learners=(
        ResNetClassifier(training=training),
        RKNetClassifier(training=training),
        ODENetClassifier(training=training),
        DenseODEClassifier(training=training),
        MLPClassifier(training=training),
    ),
    metrics=(*CLASSIFICATION, *DEPTH),
    sampling=ImageSampling(valid=2_000, test=10_000, crop=2),
    seeds=3,
    budgets={"quick": Budget(0.2), "standard": Budget(), "paper": Budget(32.0)},
)
