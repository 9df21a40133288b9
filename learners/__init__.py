"""Learners: methods that learn dynamical systems from data, and the reference rows beside them."""

from learners.base import Budget, CurvePoint, Forecast, Learner, Predictor, TrainingLog

__all__ = ["Budget", "CurvePoint", "Forecast", "Learner", "Predictor", "TrainingLog"]
