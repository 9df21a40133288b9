"""The scores of the Common Task Framework: 100 for a perfect forecast, 0 for one as wrong as predicting zero.

A forecast that is not finite where it is scored has the worst score: minus infinity, or -100 where scores end there.

Wyder et al., "Common task framework for a critical evaluation of scientific machine learning algorithms",
arXiv 2510.23166, 2025.
"""

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric, Undefined
from metrics.validation import check_forecast, check_moving

FIRST = 20  # samples of the short-time score
LAST = 500  # samples of the long-time scores
BINS = 41  # of the histograms

States = Float64[np.ndarray, "batch time dim"]
PerState = Float64[np.ndarray, " batch"]


def short_time_score(truth: States, forecast: States, first: int = FIRST) -> PerState:
    """100 (1 - |X^ - X| / |X|) over the first samples, with the largest singular value of [time, dim] as the norm.

    From minus infinity to 100. Raises Undefined where a truth is zero throughout.
    """
    check_forecast(truth, forecast)
    truth, forecast = truth[:, :first], forecast[:, :first]
    size = np.linalg.norm(truth, ord=2, axis=(1, 2))
    _check_size(size)
    lost = ~np.asarray(np.isfinite(forecast).all(axis=(1, 2), keepdims=True))
    with np.errstate(over="ignore"):
        error = np.linalg.norm(np.where(lost, truth, forecast) - truth, ord=2, axis=(1, 2))
    return np.where(lost[:, 0, 0], -np.inf, 100 * (1 - error / size))


def histogram_score(truth: States, forecast: States, last: int = LAST) -> PerState:
    """100 (1 - E), E = mean over the channels of sum|h^ - h| / sum h, with h counts over the last samples.

    Histograms have 41 bins over the joint range of truth and forecast. From -100, where they do not overlap, to 100.
    Raises Undefined where a channel of the truth is constant: any error, however small, would have the worst score.
    """
    truth, forecast = truth[:, -last:], forecast[:, -last:]
    check_moving(truth, forecast)
    return np.array([100 * (1 - _histogram_error(*pair)) for pair in zip(truth, forecast, strict=True)])


def spectrum_score(truth: States, forecast: States, last: int = LAST) -> PerState:
    """100 (1 - |P^ - P| / |P|), P = time mean of |fft|^2 over the non-negative modes, over the last samples of a field.

    The channels are the sites of a field on a ring. From minus infinity to 100. Raises Undefined where a truth is zero
    throughout.
    """
    check_forecast(truth, forecast)
    truth, forecast = truth[:, -last:], forecast[:, -last:]
    lost = ~np.asarray(np.isfinite(forecast).all(axis=(1, 2), keepdims=True))
    p, q = mean_spectrum(truth), mean_spectrum(np.where(lost, 0.0, forecast))
    size = np.linalg.norm(p, axis=1)
    _check_size(size)
    with np.errstate(over="ignore"):
        error = np.linalg.norm(q - p, axis=1)
    return np.where(lost[:, 0, 0], -np.inf, 100 * (1 - error / size))


def mean_spectrum(states: States) -> Float64[np.ndarray, "batch modes"]:
    """Time mean of the power |fft|^2 of each non-negative mode but the shortest wave of an even number of sites."""
    modes = (states.shape[-1] + 1) // 2
    with np.errstate(over="ignore"):
        return (np.abs(np.fft.rfft(states, axis=-1)[..., :modes]) ** 2).mean(axis=1)


def _histogram_error(truth: Float64[np.ndarray, "time dim"], forecast: Float64[np.ndarray, "time dim"]) -> float:
    if not np.isfinite(forecast).all():
        return 2.0
    errors = []
    for x, y in zip(truth.T, forecast.T, strict=True):
        low = min(x.min(), y.min())
        width = (max(x.max(), y.max()) - low) or 1.0
        h, g = (np.histogram((series - low) / width, BINS, (0.0, 1.0))[0] for series in (x, y))
        errors.append(np.abs(g - h).sum() / h.sum())
    return float(np.mean(errors))


def _check_size(size: PerState) -> None:
    if not (size > 0).all():
        raise Undefined(
            f"the score is relative to the size of the truth, but that of state {size.argmin()} is zero throughout"
        )


def _short(evidence: Evidence) -> float:
    """Common Task Framework's short-time score: 100 (1 - relative error) of 20 first samples, median over states."""
    return float(np.median(short_time_score(evidence.truth, evidence.forecast)))


def _long(evidence: Evidence) -> float:
    """Common Task Framework's long-time score: histograms of the last 500 samples, of fields spectra; median run."""
    score = spectrum_score if evidence.ring else histogram_score
    return float(np.median(score(evidence.climate_truth, evidence.climate)))


def _field(evidence: Evidence) -> float:
    """Common Task Framework's long-time score of fields: spectra in place of histograms, median over runs."""
    return float(np.median(spectrum_score(evidence.climate_truth, evidence.climate)))


ctf_short = Metric("ctf_short", "", "higher", _short)
ctf_long = Metric("ctf_long", "", "higher", _long, group="long run")
ctf_long_field = Metric("ctf_long_field", "", "higher", _field, group="long run")

COMMON_TASK: tuple[Metric, ...] = (ctf_short, ctf_long, ctf_long_field)
