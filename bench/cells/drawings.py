"""The arrays that figures of a cell are drawn from."""

from functools import singledispatch

import numpy as np
from jaxtyping import Float64

from metrics import Evidence, Undefined, model_spectrum
from metrics.trajectory import STRICT_THRESHOLD, forecast_error, longest_prediction_times, prediction_times
from metrics.zero_one import is_oversampled, is_short, oversampling, subsampling, translation_curves

Arrays = dict[str, np.ndarray]


DRAWN = 3  # test states whose forecasts are kept


QUARTILES = (0.25, 0.5, 0.75)


@singledispatch
def drawings(evidence: Evidence) -> Arrays:
    """What the figures are drawn from, for one seed. Times are in timescales, counted from the end of the context."""
    error = forecast_error(evidence)
    pq_truth, pq = translation_curves(evidence)
    arrays = {
        "times": evidence.times[0],
        # Each quartile is the error of a state: between a finite error and an infinite one nothing can be interpolated.
        "error_quartiles": np.quantile(error, QUARTILES, axis=0, method="inverted_cdf"),
        "vpt": prediction_times(evidence),
        "vpt_strict": prediction_times(evidence, STRICT_THRESHOLD),
        "vpt_longest": longest_prediction_times(evidence),
        "truth": evidence.truth[:DRAWN],
        "forecast": evidence.forecast[:DRAWN],
        "climate_times": _times(evidence.climate_truth, evidence.step),
        "climate_truth": evidence.climate_truth[0],
        "climate": evidence.climate[0],
        "pq_truth": pq_truth,
        "pq": pq,
        **_subsampled(evidence),
        **paths(evidence),
    }
    with np.errstate(over="ignore"):  # what single precision cannot hold is as good as infinite
        return {name: values if name == "times" else values.astype(np.float32) for name, values in arrays.items()}


def paths(evidence: Evidence) -> Arrays:
    """Trajectories decoded between two latent states, and their times in timescales, where a model has such states."""
    if evidence.decoded is None:
        return {}
    return {"path": evidence.decoded.path.astype(np.float32), "path_times": evidence.decoded.path_times}


def spread(evidence: Evidence) -> Arrays:
    """Lyapunov exponents of the model per timescale, and their 95 % intervals over the states: mean, low, high."""
    try:
        spectrum = model_spectrum(evidence)
    except Undefined:
        return {}
    return {"exponents": np.stack([spectrum.exponents, *spectrum.interval]).astype(np.float32)}


def _subsampled(evidence: Evidence) -> Arrays:
    """What the 0-1 test sees of the truth's first long run, and whether it had better see more, or less densely.

    `pq_sampling` are lag, samples and oversampling of the series; `pq_doubts` are 1 where samples are too few, and
    where they are too dense, for its outcome to be trusted.
    """
    channel = evidence.climate_truth[:, :, 0]
    lag = subsampling(channel)
    series = channel[0, ::lag]
    samples, density = len(series), oversampling(series)
    return {
        "pq_sampling": np.array([lag, samples, density], dtype=np.float64),
        "pq_doubts": np.array([is_short(samples), is_oversampled(density)], dtype=np.float64),
    }


def _times(states: Float64[np.ndarray, "batch time dim"], step: float) -> Float64[np.ndarray, " time"]:
    return np.arange(1, states.shape[1] + 1) * step
