"""How fast forecasts part from the truth, once they have begun to."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric, Undefined
from metrics.trajectory import forecast_error
from systems.lyapunov import CONFIDENCE, margin

SATURATED = 0.3  # of the normalised error, above which growth levels off
FEWEST_SAMPLES = 5  # of the growth phase
GROUPS = 8  # of test states
LARGEST_POWER = 2.0  # of time, with which phases and amplitudes part where nothing grows exponentially

Series = Float64[np.ndarray, " time"]


def growth_rate(times: Series, error: Series) -> float:
    """Slope of log error over time, since the forecast began, in its growth phase.

    That is the upper half, on a logarithmic scale, of the way from the first error to its largest, or to 0.3 where it
    is larger than that: the lower half is still marked by the errors made on the way. Raises Undefined where fewer than
    five samples are left of it, since a forecast that is wrong from the start does not part from the truth; and where
    the error grows like a power of time, which has no rate: no faster than in proportion, or, up to the square, where
    that fits better than an exponential.
    """
    if times.ndim != 1 or times.shape != error.shape:
        raise ValueError(f"times and error must be series of one length, but have {times.shape} and {error.shape}")
    if np.isnan(error).any() or (error < 0).any():
        first = int((np.isnan(error) | (error < 0)).argmax())
        raise ValueError(f"error must not be negative, but is {error[first]} at sample {first}")
    top = min(SATURATED, float(error.max()))
    end = int((error >= top).argmax()) + 1
    begin = int((error >= np.sqrt(max(error[0], np.finfo(float).tiny) * top)).argmax())
    if end - begin < FEWEST_SAMPLES or not error[begin] > 0:
        raise Undefined(f"the error has no growth phase: from {error[0]:.2g} it reaches {top:.2g} in {end} samples")
    phase = times[begin:end]
    logs = np.log(error[begin:end])
    (rate, misfit), (power, other) = (_slope(x, logs) for x in (phase, np.log(phase)))
    if power <= 1 or (power < LARGEST_POWER and other < misfit):
        raise Undefined(f"the error does not grow exponentially, but like time^{power:.2g}")
    return rate


def _slope(x: Series, y: Series) -> tuple[float, float]:
    """Of the straight line through y over x, and the sum of its squared residuals."""
    line = np.polyfit(x, y, 1)
    return float(line[0]), float(((y - np.polyval(line, x)) ** 2).sum())


def median_error(evidence: Evidence) -> tuple[Series, Series]:
    """Times, and the median over the test states of the error at those; interpolated where states have their own."""
    times = evidence.times
    error = forecast_error(evidence)
    if (times == times[0]).all():
        return times[0], np.median(error, axis=0)
    shared = np.linspace(times[:, 0].max(), times[:, -1].min(), times.shape[1])
    with np.errstate(invalid="ignore"):  # between two infinite errors
        rows = [np.interp(shared, *pair) for pair in zip(times, error, strict=True)]
    return shared, np.median(np.nan_to_num(rows, nan=np.inf, posinf=np.inf), axis=0)


def rate_interval(evidence: Evidence) -> tuple[float, float, float]:
    """The growth rate, and the ends of its 95 % interval: as groups of test states scatter that each give a rate.

    Raises Undefined where they do not.
    """
    groups = np.array_split(np.arange(len(evidence.truth)), min(GROUPS, len(evidence.truth)))
    parts = [
        replace(evidence, truth=evidence.truth[of], forecast=evidence.forecast[of], times=evidence.times[of])
        for of in groups
    ]
    rate = _rate(evidence)
    reach = float(margin(np.array([[_rate(part)] for part in parts]), 1 - CONFIDENCE)[0])
    return rate, rate - reach, rate + reach


def _rate(evidence: Evidence) -> float:
    """Growth rate of the median error before it saturates; that of a perfect model is the largest Lyapunov exponent."""
    times, error = median_error(evidence)
    return growth_rate(times, np.minimum(error, np.finfo(float).max))


divergence_rate = Metric("divergence_rate", "1 / timescale", "truth", _rate, group="long run")
