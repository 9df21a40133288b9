"""How well a model of latent states tells what lies within the interval that it was shown."""

import numpy as np

from metrics.base import Evidence, Metric, Undefined
from metrics.prediction_time import normalised_error


def _interpolation(evidence: Evidence) -> float:
    """Error of what is decoded on the observed interval, in standard deviations: mean over it, median over states."""
    if evidence.decoded is None:
        raise Undefined("the model has no latent states from which the observed interval could be decoded")
    error = normalised_error(evidence.decoded.truth, evidence.decoded.states, evidence.scale)
    return float(np.median(error.mean(axis=1)))


interpolation = Metric("interpolation", "", "lower", _interpolation)
