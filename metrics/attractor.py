"""Whether long forecasts keep the attractor: its places, its rhythms, and its dimension.

States are `[runs, samples, dim]` in physical units, of the truth and of a model. A model run counts as lost from its
first non-finite sample on; the truth is finite, and moves in every channel.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import fft
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from metrics.base import Evidence, Metric
from metrics.validation import check_moving

BINS = 30  # along each axis of the box
MARGIN = 0.1  # of the box around the truth, in standard deviations
PSEUDOCOUNT = 1e-5  # of Laplace's smoothing
MOST_BINNED = 5  # dimensions; above, nearly all bins are empty
CENTRES = 10_000  # of the Gaussian mixtures
DRAWS = 1000  # of the Monte Carlo estimate
SMOOTHING = 20.0  # standard deviation of the Gaussian that smooths spectra, in frequency bins
COMPARED = 2000  # samples for the kernel matrices
REFERENCES = 4000  # points whose neighbours are counted
SCALING = (3e-5, 3e-3)  # correlation sums between which the dimension is read off
RADII = 16
NARROW = 1.01  # ratio of its ends, below which a scaling range is but one distance
PAIRS = 200_000  # from which the scaling range is estimated
COINCIDENT = 1e-9  # distance, in standard deviations, of states that are one and the same
MOTIONLESS = 1e-6  # range relative to size: what single precision leaves of a fixed point

Runs = Float64[np.ndarray, "runs samples dim"]
Points = Float64[np.ndarray, "points dim"]
Spectra = Float64[np.ndarray, "runs frequencies dim"]


def state_space_divergence(truth: Runs, model: Runs) -> float:
    """D_stsp: Kullback-Leibler divergence of the model's distribution of states from the truth's, in nats.

    Binned up to five dimensions, of Gaussian mixtures above.
    """
    return (binned_divergence if truth.shape[-1] <= MOST_BINNED else mixture_divergence)(truth, model)


def binned_divergence(truth: Runs, model: Runs) -> float:
    """D_stsp over 30 bins an axis of the box around the truth, with Laplace's smoothing by 1e-5.

    What the model leaves outside the box, or loses, is taken from its probabilities within: a model that is never in
    the box has the largest value possible.

    Hess et al., "Generalized teacher forcing for learning chaotic dynamics", ICML 2023.
    """
    check_moving(truth, model)
    if truth.shape[-1] > MOST_BINNED:
        raise ValueError(
            f"binned_divergence is for at most {MOST_BINNED} dimensions, but the states have {truth.shape[-1]}: "
            f"use mixture_divergence"
        )
    low, high = _box(truth)
    true_counts, counts = _counts(truth, low, high), _counts(model, low, high)
    occupied = true_counts > 0
    samples = truth.shape[0] * truth.shape[1]
    p, q = ((n[occupied] + PSEUDOCOUNT) / (samples + PSEUDOCOUNT * len(n)) for n in (true_counts, counts))
    return float((p * np.log(p / q)).sum())


def mixture_divergence(truth: Runs, model: Runs) -> float:
    """D_stsp between mixtures of Gaussians about at most 10,000 states of either, from 1,000 draws.

    The variance is 1 in standard deviations of the truth. Infinite where no state of the model is left or near.

    Brenner et al., "Tractable dendritic RNNs for reconstructing nonlinear dynamical systems", ICML 2022.
    """
    check_moving(truth, model)
    rng = np.random.default_rng(0)
    chosen = _choose(truth, CENTRES, rng)
    p_centres, q_centres = _standard(truth, truth)[chosen], _standard(model, truth)[chosen]
    q_centres = q_centres[_kept(model).ravel()[chosen]]
    if not len(q_centres):
        return math.inf
    draws = p_centres[rng.integers(len(p_centres), size=DRAWS)]
    draws = draws + rng.standard_normal(draws.shape)
    return float((_log_density(draws, p_centres) - _log_density(draws, q_centres)).mean())


def _log_density(
    draws: Float64[np.ndarray, "draws dim"], centres: Float64[np.ndarray, "centres dim"]
) -> Float64[np.ndarray, " draws"]:
    """Of the mixture, but for a constant: its distances as one matrix product."""
    exponent = draws @ centres.T - (centres**2).sum(axis=1) / 2
    largest = exponent.max(axis=1, keepdims=True)
    return (largest + np.log(np.exp(exponent - largest).sum(axis=1, keepdims=True)))[:, 0] - (draws**2).sum(axis=1) / 2


def out_of_box_mass(truth: Runs, model: Runs) -> float:
    """Share of the model's samples that are lost, or outside the box of D_stsp: the truth's range and a margin."""
    check_moving(truth, model)
    low, high = _box(truth)
    return float(1 - (_kept(model) & ((model >= low) & (model <= high)).all(axis=-1)).mean())


def spectral_distance(truth: Runs, model: Runs) -> float:
    """D_H: Hellinger distance of the smoothed power spectra, mean over the channels; from 0 to 1.

    Spectra are of each run about its own mean, normalised, then averaged over the runs. A run that is lost, or does not
    move, has no spectrum and counts 1.

    Mikhaeil, Monfared and Durstewitz, "On the difficulty of learning chaotic dynamics with RNNs", NeurIPS 2022.
    """
    check_moving(truth, model)
    p, q = _spectra(truth), _spectra(model)
    lost = 1 - q.any(axis=1).mean(axis=0)
    p, q = _distribution(p), _distribution(q)
    distance = np.sqrt(np.maximum(0.0, 1 - np.sqrt(p * q).sum(axis=0)))
    return float((lost + (1 - lost) * distance).mean())


def mean_discrepancy(truth: Runs, model: Runs) -> float:
    """Maximum mean discrepancy of the distributions of states, from 0 to 2^(1/2), from 2,000 samples of either.

    The kernel is Gaussian, as wide as the median distance within the truth, in standard deviations. All samples that
    are lost are one state at infinity. Two independent samples of one distribution come to about 0.03.

    Gretton et al., "A kernel two-sample test", Journal of Machine Learning Research 13, 2012.
    """
    check_moving(truth, model)
    chosen = _choose(truth, COMPARED, np.random.default_rng(0))
    x, y = _standard(truth, truth)[chosen], _standard(model, truth)[chosen]
    kept = _kept(model).ravel()[chosen]
    within = cdist(x, x, "sqeuclidean")
    width, count = np.median(within), len(x)
    same, other, across = (
        np.exp(-squares / (2 * width)).sum() / count**2
        for squares in (within, cdist(y[kept], y[kept], "sqeuclidean"), cdist(x, y[kept], "sqeuclidean"))
    )
    return math.sqrt(max(0.0, same + other + (1 - kept.mean()) ** 2 - 2 * across))


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
    points = _over(runs - runs.mean(axis=(0, 1)), np.abs(runs).max(axis=(0, 1))).reshape(-1, runs.shape[-1])
    points = _over(points, points.std(axis=0))
    radii = _scaling_range(points, runs.shape[1], window, scaling)
    if not radii[0] * NARROW < radii[-1]:
        return CorrelationDimension(0.0, (float(radii[0]), float(radii[-1])))
    closer = _correlation_sums(points, runs.shape[1], window, radii)
    slope = float(np.polyfit(np.log(radii), np.log(closer), 1)[0])
    return CorrelationDimension(slope, (float(radii[0]), float(radii[-1])))


def _scaling_range(
    points: Points, samples: int, window: int, scaling: tuple[float, float]
) -> Float64[np.ndarray, " radii"]:
    """Radii whose correlation sums, estimated from random pairs, span the scaling range."""
    one, two = np.random.default_rng(0).integers(len(points), size=(2, PAIRS))
    apart = ~_near_in_time(one, two, samples, window)
    distances = np.sqrt(((points[one[apart]] - points[two[apart]]) ** 2).sum(axis=-1))
    distances = distances[distances > COINCIDENT]
    if not len(distances):
        return np.zeros(2)
    low, high = np.quantile(distances, scaling)
    return np.geomspace(low, high, RADII)


def _correlation_sums(
    points: Points, samples: int, window: int, radii: Float64[np.ndarray, " radii"]
) -> Float64[np.ndarray, " radii"]:
    """Share of pairs closer than each radius: all neighbours of some points, less those near in time."""
    chosen = np.unique(np.linspace(0, len(points) - 1, REFERENCES).astype(int))
    ends = np.append(COINCIDENT, radii)
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


def _box(truth: Runs) -> tuple[np.ndarray, np.ndarray]:
    margin = MARGIN * truth.std(axis=(0, 1))
    return truth.min(axis=(0, 1)) - margin, truth.max(axis=(0, 1)) + margin


def _counts(runs: Runs, low: np.ndarray, high: np.ndarray) -> Float64[np.ndarray, " bins"]:
    """Samples in each bin of the box; those outside or lost are in none."""
    states = runs[_kept(runs)]
    states = states[((states >= low) & (states <= high)).all(axis=-1)]
    places = np.minimum(((states - low) / (high - low) * BINS).astype(int), BINS - 1)
    weights = BINS ** np.arange(runs.shape[-1])
    return np.bincount(places @ weights, minlength=BINS ** runs.shape[-1]).astype(float)


def _spectra(runs: Runs) -> Spectra:
    """Normalised power spectra of the runs; zero where a run is lost or does not move."""
    kept = np.isfinite(runs).all(axis=(1, 2), keepdims=True)
    runs = np.where(kept, runs, 0.0)
    size = np.abs(runs).max(axis=1, keepdims=True)
    runs = _over(runs, size)  # so that squares of large numbers do not overflow
    moves = np.ptp(runs, axis=1, keepdims=True) > MOTIONLESS
    power = np.abs(np.asarray(fft.rfft(runs - runs.mean(axis=1, keepdims=True), axis=1))) ** 2
    return np.where(moves, _over(power, power.sum(axis=1, keepdims=True)), 0.0)


def _distribution(spectra: Spectra) -> Float64[np.ndarray, "frequencies dim"]:
    """Mean over the runs, smoothed and normalised; zero for a channel where no run has a spectrum."""
    smooth = gaussian_filter1d(spectra.mean(axis=0), SMOOTHING, axis=0)
    return _over(smooth, smooth.sum(axis=0))


def _over(values: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Values divided by their size, where that is not zero."""
    return values / np.where(size > 0, size, 1.0)


def _choose(runs: Runs, most: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of some of the samples of all runs."""
    count = runs.shape[0] * runs.shape[1]
    return np.sort(rng.permutation(count)[:most])


def _standard(runs: Runs, truth: Runs) -> Points:
    return ((runs - truth.mean(axis=(0, 1))) / truth.std(axis=(0, 1))).reshape(-1, truth.shape[-1])


def _kept(runs: Runs) -> Bool[np.ndarray, "runs samples"]:
    """Whether each sample comes before its run's first non-finite one."""
    return np.logical_and.accumulate(np.isfinite(runs).all(axis=-1), axis=1)


def _check_runs(runs: Runs, window: int) -> None:
    if runs.ndim != 3 or 0 in runs.shape:
        raise ValueError(f"runs must be a non-empty [runs, samples, dim] array, but have the shape {runs.shape}")
    if not np.isfinite(runs).all():
        raise ValueError("runs must be finite: leave out those that diverge")
    if not 0 <= window <= runs.shape[1] // 4:
        raise ValueError(
            f"window must lie between 0 and a quarter of the {runs.shape[1]} samples of a run, but is {window}"
        )


def _divergence(evidence: Evidence) -> float:
    """Divergence of the model's distribution of states from the truth's, over bins or (from 6 dimensions) mixtures."""
    return state_space_divergence(evidence.climate_truth, evidence.climate)


def _outside(evidence: Evidence) -> float:
    """Share of the model's long forecasts that is lost or outside the range of the truth."""
    return out_of_box_mass(evidence.climate_truth, evidence.climate)


def _spectral(evidence: Evidence) -> float:
    """Hellinger distance of the power spectra of long forecasts from the truth's, from 0 to 1."""
    return spectral_distance(evidence.climate_truth, evidence.climate)


def _discrepancy(evidence: Evidence) -> float:
    """Maximum mean discrepancy of the states of long forecasts from the truth's."""
    return mean_discrepancy(evidence.climate_truth, evidence.climate)


def _dimension(evidence: Evidence) -> float:
    """Correlation dimension of what the model's long forecasts cover; of those that stay finite, if half of them do."""
    finite = evidence.climate[_kept(evidence.climate).all(axis=1)]
    if 2 * len(finite) < len(evidence.climate):
        return math.nan
    return grassberger_procaccia(finite, window=min(round(1 / evidence.step), finite.shape[1] // 4)).value


d_stsp = Metric("d_stsp", "nats", "lower", _divergence, group="long run")
out_of_box = Metric("out_of_box", "", "lower", _outside, group="long run")
d_h = Metric("d_h", "", "lower", _spectral, group="long run")
mmd = Metric("mmd", "", "lower", _discrepancy, group="long run")
correlation_dimension = Metric("correlation_dimension", "", "truth", _dimension, group="long run")

ATTRACTOR: tuple[Metric, ...] = (d_stsp, out_of_box, d_h, mmd, correlation_dimension)
