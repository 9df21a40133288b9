"""Learners: methods that learn dynamical systems from data, and the reference rows beside them."""

from learners.base import Budget, CurvePoint, Failure, Forecast, Learner, Predictor, SolverError, TrainingLog
from learners.neural_ode import NeuralODE
from learners.ode_net import ODENet
from learners.polynomial import PolynomialPropagator
from learners.references import Climatology, Persistence, TrainingMean, TrueEquations
from learners.resnet import ResNet
from learners.rk_net import RKNet
from learners.training import Training
from learners.windowed_rnn import WindowedRNN

__all__ = [
    "Budget",
    "Climatology",
    "CurvePoint",
    "Failure",
    "Forecast",
    "Learner",
    "NeuralODE",
    "ODENet",
    "Persistence",
    "PolynomialPropagator",
    "Predictor",
    "RKNet",
    "ResNet",
    "SolverError",
    "Training",
    "TrainingLog",
    "TrainingMean",
    "TrueEquations",
    "WindowedRNN",
]
