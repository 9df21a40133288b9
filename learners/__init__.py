"""Learners: methods that learn dynamical systems from data, and the reference rows beside them."""

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
from learners.classifier import Classifier, FittedClassifier
from learners.hybrid import HybridODE
from learners.image_classifiers import MLPClassifier, ODENetClassifier, ResNetClassifier, RKNetClassifier
from learners.latent import LatentODE, LatentRNN
from learners.mechanistic import Mechanistic
from learners.neural_ode import NeuralODE
from learners.ode_net import ODENet
from learners.polynomial import DMD, NVAR, PolynomialPropagator
from learners.references import Climatology, Persistence, TrainingMean, TrueEquations
from learners.reservoir import Reservoir
from learners.resnet import ResNet
from learners.rk_net import RKNet
from learners.sindy import SINDy
from learners.training import Training
from learners.transformer import Transformer
from learners.windowed_rnn import WindowedRNN

__all__ = [
    "DMD",
    "NVAR",
    "Budget",
    "Classifier",
    "Climatology",
    "CurvePoint",
    "Failure",
    "FittedClassifier",
    "Forecast",
    "HybridODE",
    "LatentODE",
    "LatentRNN",
    "Learner",
    "MLPClassifier",
    "Mechanistic",
    "NeuralODE",
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
    "Training",
    "TrainingLog",
    "TrainingMean",
    "Transformer",
    "TrueEquations",
    "Unsuitable",
    "WindowedRNN",
]
