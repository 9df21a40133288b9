"""The correlation dimension of an attractor: how the number of neighbours of a state grows with their distance."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.spatial import KDTree

from metrics.base import Evidence, Metric
from metrics.prediction_time import diverged
from metrics.validation import rounding

REFERENCES = 4000  # points whose neighbours are counted
SCALING = (3e-5, 3e-3)  # correlation sums between which the dimension is read off
RADII = 16
NARROW = 1.01  # ratio of its ends, below which a scaling range is but one distance
PAIRS = 200_000  # from which the scaling range is estimated
COINCIDENT = 1e-9  # distance, in standard deviations, of states that are one and the same, if rounding leaves no more

Runs = Float64[np.ndarray, "runs samples dim"]
Points = Float64[np.ndarray, "points dim"]


@dataclass(frozen=True)
class CorrelationDimension:
    """A dimension and the range of radii, in standard deviations, over which it was read off."""

    value: float
    radii: tuple[float, float]


def grassberger_procaccia(runs: Runs, window: int, scaling: tuple[float, float] = SCALING) -> CorrelationDimension:
    """Growth of log C(r) with log r, where C(r) is the share of pairs of states closer than r.

    Distances are in standard deviations of each channel. Pairs within `window` samples of one run do not count, nor do
    those that coincide. The scaling range is where C(r) lies between the two numbers of `scaling`; it is empty, and the
    dimension 0, where there are a few states only, that come back exactly.
    Above some five dimensions the values are too low: they would need more samples than any run has.

    Grassberger and Procaccia, "Measuring the strangeness of strange attractors", Physica D 9, 1983; Theiler, "Spurious
    dimension from correlation algorithms applied to limited time-series data", Physical Review A 34, 1986.
    """
    _check_runs(runs, window)
    points = (runs - runs.mean(axis=(0, 1))).reshape(-1, runs.shape[-1])
    size = np.abs(points).max(axis=0)
    points = divide(points, size)  # so that squares of large numbers do not overflow
    spread = points.std(axis=0)
    points = divide(points, spread)
    smallest = np.where(spread > 0, size * spread, np.inf)
    coincident = max(COINCIDENT, float((rounding(runs, axis=(0, 1)).ravel() / smallest).max()))
    radii = _scaling_range(points, runs.shape[1], window, scaling, coincident)
    if not radii[0] * NARROW < radii[-1]:
        return CorrelationDimension(0.0, (float(radii[0]), float(radii[-1])))
    closer = _correlation_sums(points, runs.shape[1], window, radii, coincident)
    slope = float(np.polyfit(np.log(radii), np.log(closer), 1)[0])
    return CorrelationDimension(slope, (float(radii[0]), float(radii[-1])))


def _scaling_range(
    points: Points, samples: int, window: int, scaling: tuple[float, float], coincident: float
) -> Float64[np.ndarray, " radii"]:
    """Radii whose correlation sums, estimated from random pairs, span the scaling range."""
    one, two = np.random.default_rng(0).integers(len(points), size=(2, PAIRS))
    apart = ~_near_in_time(one, two, samples, window)
    distances = np.sqrt(((points[one[apart]] - points[two[apart]]) ** 2).sum(axis=-1))
    distances = distances[distances > coincident]
    if not len(distances):
        return np.zeros(2)
    low, high = np.quantile(distances, scaling)
    return np.geomspace(low, high, RADII)


def _correlation_sums(
    points: Points, samples: int, window: int, radii: Float64[np.ndarray, " radii"], coincident: float
) -> Float64[np.ndarray, " radii"]:
    """Share of pairs closer than each radius: all neighbours of some points, less those near in time."""
    chosen = np.unique(np.linspace(0, len(points) - 1, REFERENCES).astype(int))
    ends = np.append(coincident, radii)
    closer = np.asarray(KDTree(points[chosen]).count_neighbors(KDTree(points), ends), dtype=float)
    pairs = len(chosen) * len(points)
    for offset in range(-window, window + 1):
        there = np.clip(chosen + offset, 0, len(points) - 1)
        valid = (there == chosen + offset) & (there // samples == chosen // samples)
        distances = np.sqrt(((points[there[valid]] - points[chosen[valid]]) ** 2).sum(axis=-1))
        closer -= np.searchsorted(np.sort(distances), ends, side="right")
        pairs -= valid.sum()
    return np.maximum(closer[1:] - closer[0], 1.0) / (pairs - closer[0])


def _near_in_time(one: np.ndarray, two: np.ndarray, samples: int, window: int) -> np.ndarray:
    return (one // samples == two // samples) & (np.abs(one - two) <= window)


def divide(values: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Values divided by their size, where that is not zero."""
    return values / np.where(size > 0, size, 1.0)


def _check_runs(runs: Runs, window: int) -> None:
    if runs.ndim != 3 or 0 in runs.shape:
        raise ValueError(f"runs must be a non-empty [runs, samples, dim] array, but have the shape {runs.shape}")
    if not np.isfinite(runs).all():
        raise ValueError("runs must be finite: leave out those that diverge")
    if not 0 <= window <= runs.shape[1] // 4:
        raise ValueError(
            f"window must lie between 0 and a quarter of the {runs.shape[1]} samples of a run, but is {window}"
        )


def _dimension(evidence: Evidence) -> float:
    """Correlation dimension of what the model's long forecasts cover; of those that stay finite, if half of them do."""
    finite = evidence.climate[~diverged(evidence.climate)[:, -1]]
    if 2 * len(finite) < len(evidence.climate):
        return math.nan
    return grassberger_procaccia(finite, window=min(round(1 / evidence.step), finite.shape[1] // 4)).value


correlation_dimension = Metric("correlation_dimension", "", "truth", _dimension, group="long run")
