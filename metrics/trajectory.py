"""How far forecasts leave the truth: errors over the horizon, the time until they count, and roughness."""

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric
from metrics.validation import check_forecast

THRESHOLD = 0.5  # of the normalised error, where a forecast stops being valid
STRICT_THRESHOLD = 0.05
SMOOTH = 1e-6  # second differences below this, in standard deviations, are the rounding of single precision

States = Float64[np.ndarray, "batch time dim"]
Scale = Float64[np.ndarray, " dim"]
PerState = Float64[np.ndarray, " batch"]


def normalised_error(truth: States, forecast: States, scale: Scale) -> Float64[np.ndarray, "batch time"]:
    """NRMSE(t): root mean square over the channels of the error in units of `scale`, at each sample.

    Infinite from the first non-finite sample of a forecast on, also where later samples are finite again.
    Raises ValueError where shapes differ, the truth is not finite, or a scale is not positive.
    """
    check_forecast(truth, forecast)
    _check_scale(truth, scale)
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.sqrt((((forecast - truth) / scale) ** 2).mean(axis=-1))
    return np.where(_diverged(forecast), np.inf, error)


def valid_prediction_time(
    error: Float64[np.ndarray, "batch time"], step: float, threshold: float = THRESHOLD
) -> PerState:
    """Leading time with an error below the threshold: `step` for each good sample before the first bad one.

    Zero where the first sample fails already, the whole horizon where none does. NaN is bad.

    Vlachas et al., "Backpropagation algorithms and reservoir computing in recurrent neural networks for the
    forecasting of complex spatiotemporal dynamics", Neural Networks 126, 2020 (with the threshold 0.5).
    """
    if error.ndim != 2 or 0 in error.shape:
        raise ValueError(f"errors must be a non-empty [batch, time] array, but have the shape {error.shape}")
    if not 0 < step < np.inf or not threshold > 0:
        raise ValueError(f"step and threshold must be positive, but are step={step!r}, threshold={threshold!r}")
    good = np.logical_and.accumulate(error < threshold, axis=1)
    return good.sum(axis=1) * step


def symmetric_percentage_error(truth: States, forecast: States) -> PerState:
    """SMAPE: 200 mean(|x^ - x| / (|x^| + |x|)) over time and channels, from 0 to 200.

    A sample at which both are zero counts 0; from the first non-finite sample on each counts 200.
    """
    check_forecast(truth, forecast)
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.abs(truth) + np.abs(forecast)
        ratio = np.divide(np.abs(forecast - truth), size, out=np.zeros(size.shape), where=size != 0)
    lost = _diverged(forecast)[:, :, None] | ~np.isfinite(size)
    return 200 * np.where(lost, 1.0, ratio).mean(axis=(1, 2))


def cumulative_maximum_error(truth: States, forecast: States) -> PerState:
    """CME: time mean of min(1, largest error so far / spread), from 0 to 1; 1 from a divergence on.

    The error is the Euclidean norm over the channels; the spread is the root mean square distance of the truth
    (all states and times) from its mean. Raises ValueError where the truth does not move at all.

    Schoetz, "Dynamical system prediction from noisy observations: DEEB", 2024.
    """
    check_forecast(truth, forecast)
    spread = np.sqrt(((truth - truth.mean(axis=(0, 1))) ** 2).sum(axis=-1).mean())
    if not spread > 0:
        raise ValueError(
            "the cumulative maximum error is relative to the spread of the truth, but the truth is constant"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.sqrt(((forecast - truth) ** 2).sum(axis=-1))
    distance = np.where(_diverged(forecast), np.inf, distance)
    return np.minimum(1.0, np.maximum.accumulate(distance, axis=1) / spread).mean(axis=1)


def relative_roughness(truth: States, forecast: States, scale: Scale) -> PerState:
    """Root mean square of the forecast's second differences over that of the truth's, in units of `scale`.

    1 is as smooth as the truth, 0 a straight line, infinite a divergence. A truth whose second differences vanish (a
    fixed point) is taken to have those of single precision's rounding, SMOOTH; the ratio is 1 if the forecast's are no
    larger.
    """
    check_forecast(truth, forecast)
    _check_scale(truth, scale)
    if truth.shape[1] < 3:
        raise ValueError(f"second differences need 3 samples, but the forecast has {truth.shape[1]}: raise the horizon")
    true_size, size = _bending(truth / scale), _bending(forecast / scale)
    return np.where(np.maximum(true_size, size) <= SMOOTH, 1.0, size / np.maximum(true_size, SMOOTH))


def _bending(states: States) -> PerState:
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.sqrt((np.diff(states, n=2, axis=1) ** 2).mean(axis=(1, 2)))
    return np.where(np.isfinite(states).all(axis=(1, 2)), size, np.inf)


def _diverged(forecast: States) -> np.ndarray:
    """Whether the forecast has been non-finite at or before each sample, `[batch, time]`."""
    return np.logical_or.accumulate(~np.isfinite(forecast).all(axis=-1), axis=1)


def _check_scale(truth: States, scale: Scale) -> None:
    if np.shape(scale) != truth.shape[-1:]:
        raise ValueError(
            f"scale needs one number for each of {truth.shape[-1]} channels, but has the shape {np.shape(scale)}"
        )
    bad = np.flatnonzero(~((scale > 0) & np.isfinite(scale)))
    if len(bad):
        raise ValueError(
            f"scale must be positive, but is {scale[bad[0]]} in channel {bad[0]}: "
            f"a channel that is constant in the training data has no error relative to its spread; leave it out"
        )


def _error(evidence: Evidence) -> Float64[np.ndarray, "batch time"]:
    return normalised_error(evidence.truth, evidence.forecast, evidence.scale)


def _mean_error(evidence: Evidence) -> float:
    """Root mean square error in standard deviations: mean over the horizon, median over the test states."""
    return float(np.median(_error(evidence).mean(axis=1)))


def _valid_time(evidence: Evidence) -> float:
    """Valid prediction time: leading time with a normalised error below 0.5, median over the test states."""
    return float(np.median(valid_prediction_time(_error(evidence), evidence.step, THRESHOLD)))


def _strictly_valid_time(evidence: Evidence) -> float:
    """Strict valid prediction time: leading time with a normalised error below 0.05, median over the test states."""
    return float(np.median(valid_prediction_time(_error(evidence), evidence.step, STRICT_THRESHOLD)))


def _percentage_error(evidence: Evidence) -> float:
    """Symmetric mean absolute percentage error over the horizon, from 0 to 200, median over the test states."""
    return float(np.median(symmetric_percentage_error(evidence.truth, evidence.forecast)))


def _maximum_error(evidence: Evidence) -> float:
    """Cumulative maximum error relative to the spread, from 0 to 1: mean over time, median over the test states."""
    return float(np.median(cumulative_maximum_error(evidence.truth, evidence.forecast)))


def _roughness(evidence: Evidence) -> float:
    """Second differences of the forecast over those of the truth: 1 is as smooth; median over the test states."""
    return float(np.median(relative_roughness(evidence.truth, evidence.forecast, evidence.scale)))


nrmse = Metric("nrmse", "", "lower", _mean_error)
vpt = Metric("vpt", "timescales", "higher", _valid_time)
vpt_strict = Metric("vpt_strict", "timescales", "higher", _strictly_valid_time)
smape = Metric("smape", "%", "lower", _percentage_error)
cme = Metric("cme", "", "lower", _maximum_error)
roughness = Metric("roughness", "", "truth", _roughness)
