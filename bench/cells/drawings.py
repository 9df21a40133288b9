"""The arrays that figures of a forecast are drawn from."""

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from metrics import LYAPUNOV, Evidence, Metric, Undefined, divergence_rate, kaplan_yorke_dimension, model_spectrum
from metrics.growth import rate_interval
from metrics.lyapunov import dimension_interval
from metrics.trajectory import STRICT_THRESHOLD, forecast_error, longest_prediction_times, prediction_times
from metrics.zero_one import (
    is_oversampled,
    is_short,
    oversampling,
    subsampling,
    translation_curves,
    zero_one,
    zero_one_k,
)

Arrays = dict[str, np.ndarray]

DRAWN = 3  # test states whose forecasts are kept
PANELS = 9  # test states of which latent models show what they read, and what they make of it
SHORTEST, LENGTHS = 40, 10  # samples of the shortest run that the 0-1 test is put to, and how many lengths there are
QUARTILES = (0.25, 0.5, 0.75)
AS_IS = ("times", "parameter_names", "fitted_parameters", "equations")  # neither shortened nor single precision
OFFSET = 1e4  # spreads from zero, beyond which single precision's rounding shows


def forecast_arrays(evidence: Evidence) -> Arrays:
    """What figures of one seed are drawn from; of models with latent states also the path between two of them.

    Times are in timescales, counted from the end of the context. `pq_sampling` are lag, samples and oversampling of
    the series that the 0-1 test sees of the truth's first long run; `pq_doubts` are 1 where samples are too few, and
    where they are too dense, for its outcome to be trusted. What is not defined is NaN.
    """
    channel = evidence.climate_truth[:, :, 0]
    lag = subsampling(channel)
    series = channel[0, ::lag]
    density = oversampling(series)
    batch, time = evidence.truth.shape[:2]
    error = _or_nan(forecast_error, evidence, (batch, time))
    pq_truth, pq = _or_nan(translation_curves, evidence, (2, 2, len(series)))
    arrays = {
        "times": evidence.times[0],
        # Each quartile is the error of a state: between a finite error and an infinite one nothing can be interpolated.
        "error_quartiles": np.quantile(error, QUARTILES, axis=0, method="inverted_cdf"),
        "vpt": _or_nan(prediction_times, evidence, (batch,)),
        "vpt_strict": _or_nan(partial(prediction_times, threshold=STRICT_THRESHOLD), evidence, (batch,)),
        "vpt_longest": _or_nan(longest_prediction_times, evidence, (batch,)),
        "truth": evidence.truth[:DRAWN],
        "forecast": evidence.forecast[:DRAWN],
        "climate_times": np.arange(1, evidence.climate_truth.shape[1] + 1) * evidence.step,
        "climate_truth": evidence.climate_truth[0],
        "climate": evidence.climate[0],
        "pq_truth": pq_truth,
        "pq": pq,
        "pq_sampling": np.array([lag, len(series), density], dtype=np.float64),
        "pq_doubts": np.array([is_short(len(series)), is_oversampled(density)], dtype=np.float64),
    }
    if evidence.decoded is not None:
        decoded = evidence.decoded
        arrays |= {"path": decoded.path, "path_times": decoded.path_times}
        several = slice(0, PANELS)
        for name, window, beyond in (
            ("panels_truth", decoded.truth, evidence.truth),
            ("panels", decoded.states, evidence.forecast),
        ):
            arrays[name] = np.concatenate([window[several], beyond[several]], axis=1)
        arrays["panels_given"] = decoded.given[several]
    if (field := evidence.field) is not None:
        grid = slice(0, field.around)
        arrays |= {"field_places": field.places[grid], "field_flow": field.flow[grid], "field": field.learned[grid]}
    if (fit := evidence.fit) is not None:
        arrays |= {"fit_times": fit.times, "fit_data": fit.observed, "fit_truth": fit.truth, "fit": fit.forecast}
        if fit.before is not None:
            arrays["fit_before"] = fit.before
    if evidence.calibration is not None:
        estimates = evidence.calibration.estimates
        arrays |= {
            "parameter_names": np.array([one.name for one in estimates]),
            "fitted_parameters": np.array([(one.true, one.fitted, one.deviation) for one in estimates]),
        }
    if evidence.equations is not None:
        arrays["equations"] = np.array(evidence.equations)
    return {name: values if name in AS_IS else compact(values) for name, values in arrays.items()}


def compact(values: np.ndarray) -> np.ndarray:
    """Values `[..., channel]` in single precision, unless one of the channels lies far from zero for how it varies."""
    with np.errstate(over="ignore", invalid="ignore"):  # what single precision cannot hold is as good as infinite
        channels = np.where(np.isfinite(values), values, np.nan).reshape(-1, values.shape[-1])
        low, high = np.fmin.reduce(channels), np.fmax.reduce(channels)
        far = (high > low) & (np.fmax(abs(low), abs(high)) > OFFSET * (high - low))
        return values if far.any() else values.astype(np.float32)


def _or_nan(measure: Callable[[Evidence], Any], evidence: Evidence, shape: tuple[int, ...]) -> Any:
    try:
        return measure(evidence)
    except Undefined:
        return np.full(shape, np.nan)


def interval_arrays(evidence: Evidence, metrics: Collection[Metric]) -> Arrays:
    """Estimates of a model's long runs with their 95 % intervals: value, low, high. Those alone that are defined.

    They are the Lyapunov exponents per timescale, where one of the metrics needs them, and metrics under their names.
    Where K of the 0-1 test is one of the metrics, it is also told of parts of the long runs.
    """
    found: dict[str, Callable[[Evidence], Any]] = {}
    if set(LYAPUNOV) & set(metrics):
        found = {"exponents": _exponents, kaplan_yorke_dimension.name: dimension_interval}
    if divergence_rate in metrics:
        found[divergence_rate.name] = rate_interval
    arrays = growing_tests(evidence) if zero_one_k in metrics else {}
    for name, estimate in found.items():
        with suppress(Undefined):
            arrays[name] = np.asarray(estimate(evidence), dtype=np.float32)
    return arrays


def growing_tests(evidence: Evidence) -> Arrays:
    """K of the 0-1 test of ever longer beginnings of the first long run: of the truth `k_truth`, and of the model `k`.

    `k_times` are their lengths in timescales, evenly spaced on a logarithmic axis. K is NaN once a run has diverged.
    """
    truth, model = evidence.climate_truth[0, :, 0], evidence.climate[0, :, 0]
    lag = subsampling(evidence.climate_truth[:, :, 0])
    longest = -(-len(truth) // lag)
    if longest < 2 * SHORTEST:
        return {}
    counts = np.unique(np.geomspace(SHORTEST, longest, LENGTHS).astype(int))

    def tested(run: np.ndarray) -> list[float]:
        parts = [run[: (count - 1) * lag + 1] for count in counts]
        return [zero_one(part, lag, scale=evidence.scale[0]).k if np.isfinite(part).all() else np.nan for part in parts]

    return {
        "k_times": counts * lag * evidence.step,
        "k_truth": np.array(tested(truth)),
        "k": np.array(tested(model)),
    }


def _exponents(evidence: Evidence) -> np.ndarray:
    spectrum = model_spectrum(evidence)
    return np.stack([spectrum.exponents, *spectrum.interval])
