"""How well a fit recovers the parameters of known equations, and how well any fit could."""

from math import isnan

import numpy as np

from metrics.base import Evidence, Metric, Undefined
from systems.calibration import Calibration


def _calibration(evidence: Evidence) -> Calibration:
    if evidence.calibration is None:
        raise Undefined("the model has no parameters of known equations")
    return evidence.calibration


def _largest_error(evidence: Evidence) -> float:
    """Error of the fitted parameter that is furthest off, relative to its true value."""
    return float(np.max([estimate.relative_error for estimate in _calibration(evidence).estimates]))  # NaN if any is


def _largest_floor(evidence: Evidence) -> float:
    """Cramer-Rao floor: least standard deviation of unbiased fits, relative, of the least certain parameter."""
    floors = [estimate.relative_deviation for estimate in _calibration(evidence).estimates]
    if any(map(isnan, floors)):
        raise Undefined("no floor is known of a fit together with a network")
    return max(floors)


def _misfit(evidence: Evidence) -> float:
    """Mean squared residual of the training data, in units of the noise's variance: 1 is a fit down to the noise."""
    misfit = _calibration(evidence).misfit
    if isnan(misfit):
        raise Undefined("the residuals of the training data are not counted in a fit together with a network")
    return misfit


parameter_error = Metric("parameter_error", "", "lower", _largest_error)
parameter_floor = Metric("parameter_floor", "", "truth", _largest_floor)
misfit = Metric("misfit", "", "lower", _misfit)
