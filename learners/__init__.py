"""Learners: methods that learn dynamical systems from data, and the reference rows beside them."""

from learners.adaptive import ODENet, RKNet
from learners.analogue import Analogue
from learners.base import (
    Budget,
    CurvePoint,
    Failure,
    Forecast,
    Learner,
    Predictor,
    SolverError,
    TrainingLog,
    Unsuitable,
)
from learners.equations.hybrid import HybridODE
from learners.equations.mechanistic import Mechanistic
from learners.images.base import Classifier, FittedClassifier
from learners.images.classifiers import (
    DenseODEClassifier,
    MLPClassifier,
    ODENetClassifier,
    ResNetClassifier,
    RKNetClassifier,
)
from learners.independent_truth import IndependentTruth
from learners.latent.learners import LatentODE, LatentRNN
from learners.linear.polynomial import DMD, NVAR, PolynomialPropagator
from learners.linear.reservoir import Reservoir
from learners.linear.sindy import SINDy
from learners.neural_dde import NeuralDDE
from learners.neural_ode import NeuralODE
from learners.neural_sde import NeuralSDE
from learners.ode_layer import ODELayer
from learners.references import Climatology, Persistence, TrainingMean, TrueEquations
from learners.resnet import ResNet
from learners.teacher_forcing import PLRNN, StatefulRNN
from learners.training.loop import Training
from learners.transformer import Transformer
from learners.windowed_rnn import WindowedRNN

# What every suite of forecasts carries, unless its data rule one out.
REFERENCES: tuple[Learner, ...] = (
    Persistence(),
    TrainingMean(),
    Climatology(),
    Analogue(),
    PolynomialPropagator(),
    TrueEquations(),
)

__all__ = [
    "DMD",
    "NVAR",
    "PLRNN",
    "REFERENCES",
    "Analogue",
    "Budget",
    "Classifier",
    "Climatology",
    "CurvePoint",
    "DenseODEClassifier",
    "Failure",
    "FittedClassifier",
    "Forecast",
    "HybridODE",
    "IndependentTruth",
    "LatentODE",
    "LatentRNN",
    "Learner",
    "MLPClassifier",
    "Mechanistic",
    "NeuralDDE",
    "NeuralODE",
    "NeuralSDE",
    "ODELayer",
    "ODENet",
    "ODENetClassifier",
    "Persistence",
    "PolynomialPropagator",
    "Predictor",
    "RKNet",
    "RKNetClassifier",
    "ResNet",
    "ResNetClassifier",
    "Reservoir",
    "SINDy",
    "SolverError",
    "StatefulRNN",
    "Training",
    "TrainingLog",
    "TrainingMean",
    "Transformer",
    "TrueEquations",
    "Unsuitable",
    "WindowedRNN",
]
