"""How well a fit recovers the parameters of known equations, and how well any fit could."""

from metrics.base import Evidence, Metric, Undefined
from systems.calibration import Calibration


def _calibration(evidence: Evidence) -> Calibration:
    if evidence.calibration is None:
        raise Undefined("the model has no parameters of known equations")
    return evidence.calibration


def _largest_error(evidence: Evidence) -> float:
    """Error of the fitted parameter that is furthest off, relative to its true value."""
    return max(estimate.relative_error for estimate in _calibration(evidence).estimates)


def _largest_floor(evidence: Evidence) -> float:
    """Cramer-Rao floor: least standard deviation of unbiased fits, relative, of the least certain parameter."""
    return max(estimate.relative_deviation for estimate in _calibration(evidence).estimates)


def _misfit(evidence: Evidence) -> float:
    """Mean squared residual of the training data, in units of the noise's variance: 1 is a fit down to the noise."""
    return _calibration(evidence).misfit


parameter_error = Metric("parameter_error", "", "lower", _largest_error)
parameter_floor = Metric("parameter_floor", "", "truth", _largest_floor)
misfit = Metric("misfit", "", "lower", _misfit)
