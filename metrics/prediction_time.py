"""For how long a forecast is valid: the time until its normalised error counts."""

import numpy as np
from jaxtyping import Float64

from metrics.validation import Times, check_forecast, check_scale, clock

THRESHOLD = 0.5  # of the normalised error, where a forecast stops being valid

States = Float64[np.ndarray, "batch time dim"]
Scale = Float64[np.ndarray, " dim"]
PerState = Float64[np.ndarray, " batch"]


def normalised_error(truth: States, forecast: States, scale: Scale) -> Float64[np.ndarray, "batch time"]:
    """NRMSE(t): root mean square over the channels of the error in units of `scale`, at each sample.

    Infinite from the first non-finite sample of a forecast on, also where later samples are finite again.
    Raises ValueError where shapes differ, the truth is not finite, or a scale is not positive.
    """
    check_forecast(truth, forecast)
    check_scale(truth, scale)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = forecast - truth
        distance /= scale
        error = np.sqrt(np.einsum("btd,btd->bt", distance, distance) / len(scale))
    return np.where(diverged(forecast), np.inf, error)


def valid_prediction_time(
    error: Float64[np.ndarray, "batch time"], times: Times | float, threshold: float = THRESHOLD
) -> PerState:
    """Leading time with an error below the threshold: the time of the last good sample before the first bad one.

    Times are those of the samples, `[time]` or `[batch, time]`, or the step between them. Zero where the first sample
    fails already, the whole horizon where none does. NaN is bad.

    Vlachas et al., "Backpropagation algorithms and reservoir computing in recurrent neural networks for the
    forecasting of complex spatiotemporal dynamics", Neural Networks 126, 2020 (with the threshold 0.5).
    """
    if error.ndim != 2 or 0 in error.shape:
        raise ValueError(f"errors must be a non-empty [batch, time] array, but have the shape {error.shape}")
    if not threshold > 0:
        raise ValueError(f"threshold must be positive, but is threshold={threshold!r}")
    good = np.logical_and.accumulate(error < threshold, axis=1).sum(axis=1)
    before = np.pad(clock(times, *error.shape), ((0, 0), (1, 0)))
    return np.take_along_axis(before, good[:, None], axis=1)[:, 0]


def diverged(forecast: States) -> np.ndarray:
    """Whether the forecast has been non-finite at or before each sample, `[batch, time]`."""
    return np.logical_or.accumulate(~np.isfinite(forecast).all(axis=-1), axis=1)
