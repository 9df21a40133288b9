"""How far forecasts leave the truth: errors over the horizon, the time until they count, and roughness."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric, Undefined
from metrics.prediction_time import (
    THRESHOLD,
    PerState,
    Scale,
    States,
    diverged,
    normalised_error,
    valid_prediction_time,
)
from metrics.validation import Times, check_forecast, check_scale, clock, time_mean

STRICT_THRESHOLD = 0.05
SMOOTH = 1e-6  # second differences below this, in standard deviations, are the rounding of single precision


def symmetric_percentage_error(truth: States, forecast: States) -> PerState:
    """SMAPE: 200 mean(|x^ - x| / (|x^| + |x|)) over time and channels, from 0 to 200.

    A sample at which both are zero counts 0; from the first non-finite sample on each counts 200. Raises Undefined
    where a channel of the truth is zero throughout: any error, however small, would count 200.
    """
    check_forecast(truth, forecast)
    zero = np.flatnonzero(~truth.any(axis=(0, 1)))
    if len(zero):
        raise Undefined(f"the error is relative to the truth, but that is zero throughout in channel {zero[0]}")
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.abs(truth) + np.abs(forecast)
        ratio = np.divide(np.abs(forecast - truth), size, out=np.zeros(size.shape), where=size != 0)
    lost = diverged(forecast)[:, :, None] | ~np.isfinite(size)
    return 200 * np.where(lost, 1.0, ratio).mean(axis=(1, 2))


def cumulative_maximum_error(truth: States, forecast: States, times: Times | float = 1.0) -> PerState:
    """CME: time mean of min(1, largest error so far / spread), from 0 to 1; 1 from a divergence on.

    The error is the Euclidean norm over the channels; the spread is the root mean square distance of the truth
    (all states and times) from its mean. Raises Undefined where the truth does not move at all.

    Schoetz, "Dynamical system prediction from noisy observations: DEEB", 2024.
    """
    check_forecast(truth, forecast)
    spread = np.sqrt(((truth - truth.mean(axis=(0, 1))) ** 2).sum(axis=-1).mean())
    if not np.ptp(truth, axis=(0, 1)).any():
        raise Undefined(
            "the cumulative maximum error is relative to the spread of the truth, but the truth is constant"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.sqrt(((forecast - truth) ** 2).sum(axis=-1))
    distance = np.where(diverged(forecast), np.inf, distance)
    error = np.minimum(1.0, np.maximum.accumulate(distance, axis=1) / spread)
    return time_mean(error, clock(times, *error.shape))


def relative_roughness(truth: States, forecast: States, scale: Scale, times: Times | float = 1.0) -> PerState:
    """Root mean square of the forecast's second differences over that of the truth's, in units of `scale`.

    1 is as smooth as the truth, 0 a straight line, infinite a divergence. A truth whose second differences vanish (a
    fixed point) is taken to have those of single precision's rounding, SMOOTH; the ratio is 1 if the forecast's are no
    larger. Differences of samples at irregular times are divided ones, times the mean step.
    """
    check_forecast(truth, forecast)
    check_scale(truth, scale)
    if truth.shape[1] < 3:
        raise ValueError(f"second differences need 3 samples, but the forecast has {truth.shape[1]}: raise the horizon")
    steps = np.diff(clock(times, *truth.shape[:2]), axis=1)[:, :, None]
    steps = steps / steps.mean(axis=1, keepdims=True)
    true_size, size = _bending(truth / scale, steps), _bending(forecast / scale, steps)
    return np.where(np.maximum(true_size, size) <= SMOOTH, 1.0, size / np.maximum(true_size, SMOOTH))


def _bending(states: States, steps: Float64[np.ndarray, "batch intervals 1"]) -> PerState:
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = np.diff(states, axis=1) / steps
        second = np.diff(slopes, axis=1) / ((steps[:, 1:] + steps[:, :-1]) / 2)
        size = np.sqrt((second**2).mean(axis=(1, 2)))
    return np.where(np.isfinite(states).all(axis=(1, 2)), size, np.inf)


@lru_cache(maxsize=1)
def forecast_error(evidence: Evidence) -> Float64[np.ndarray, "batch time"]:
    """NRMSE(t) of the forecasts, worked out once for all the metrics that need it."""
    return normalised_error(evidence.truth, evidence.forecast, evidence.scale)


def prediction_times(evidence: Evidence, threshold: float = THRESHOLD) -> PerState:
    """Valid prediction times, at most the time for which the reference solution is known to be the truth."""
    found = valid_prediction_time(forecast_error(evidence), evidence.times, threshold)
    return np.minimum(found, evidence.ground_truth_time)


def longest_prediction_times(evidence: Evidence) -> PerState:
    """The longest valid prediction time that can be told of each state: the horizon, or that of the known truth."""
    return np.minimum(evidence.times[:, -1], evidence.ground_truth_time)


def _mean_error(evidence: Evidence) -> float:
    """Root mean square error in standard deviations: mean over the horizon, median over the test states."""
    return float(np.median(time_mean(forecast_error(evidence), evidence.times)))


def _valid_time(evidence: Evidence) -> float:
    """Valid prediction time: leading time with a normalised error below 0.5, median over the test states."""
    return float(np.median(prediction_times(evidence)))


def _strictly_valid_time(evidence: Evidence) -> float:
    """Strict valid prediction time: leading time with a normalised error below 0.05, median over the test states."""
    return float(np.median(prediction_times(evidence, STRICT_THRESHOLD)))


def _capped(evidence: Evidence) -> float:
    """Share of the test states whose forecast stays valid for as long as can be told: then VPT is a lower bound."""
    return float((prediction_times(evidence) >= longest_prediction_times(evidence)).mean())


def _percentage_error(evidence: Evidence) -> float:
    """Symmetric mean absolute percentage error over the horizon, from 0 to 200, median over the test states."""
    return float(np.median(symmetric_percentage_error(evidence.truth, evidence.forecast)))


def _maximum_error(evidence: Evidence) -> float:
    """Cumulative maximum error relative to the spread, from 0 to 1: mean over time, median over the test states."""
    return float(np.median(cumulative_maximum_error(evidence.truth, evidence.forecast, evidence.times)))


def _roughness(evidence: Evidence) -> float:
    """Second differences of the forecast over those of the truth: 1 is as smooth; median over the test states."""
    return float(np.median(relative_roughness(evidence.truth, evidence.forecast, evidence.scale, evidence.times)))


nrmse = Metric("nrmse", "", "lower", _mean_error)
vpt = Metric("vpt", "timescales", "higher", _valid_time)
vpt_strict = Metric("vpt_strict", "timescales", "higher", _strictly_valid_time)
vpt_capped = Metric("vpt_capped", "", "higher", _capped)
smape = Metric("smape", "%", "lower", _percentage_error)
cme = Metric("cme", "", "lower", _maximum_error)
roughness = Metric("roughness", "", "truth", _roughness)
