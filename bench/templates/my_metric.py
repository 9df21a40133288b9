"""my_metric: a metric to begin with. As it stands, it is the largest error of a forecast."""

import numpy as np

from metrics import Evidence, Metric


def largest_error(evidence: Evidence) -> float:
    """Largest error within the horizon, in standard deviations of the training data, median over the forecasts.

    The error is the root mean square over the channels; infinite where a forecast diverges.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        error = (evidence.forecast - evidence.truth) / evidence.scale  # [batch, time, dim]
        size = np.sqrt(np.square(error).mean(axis=-1)).max(axis=-1)
    return float(np.median(np.where(np.isnan(size), np.inf, size)))


my_metric = Metric("my_metric", "std", "lower", largest_error)
