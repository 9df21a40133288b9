"""Whether long forecasts keep the attractor: its places and its rhythms.

States are `[runs, samples, dim]` in physical units, of the truth and of a model. A model run counts as lost from its
first non-finite sample on; the truth is finite, and moves in every channel.
"""

import math

import numpy as np
from jaxtyping import Float64
from scipy import fft
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import cdist

from metrics.base import Evidence, Metric
from metrics.dimension import correlation_dimension, divide
from metrics.prediction_time import diverged
from metrics.validation import MOTIONLESS, check_moving, rounding

BINS = 30  # along each axis of the box
MARGIN = 0.1  # of the box around the truth, in standard deviations
PSEUDOCOUNT = 1e-5  # of Laplace's smoothing
MOST_BINNED = 5  # dimensions; above, nearly all bins are empty
CENTRES = 10_000  # of the Gaussian mixtures
DRAWS = 1000  # of the Monte Carlo estimate
FARTHEST = 1e150  # standard deviations: squares of more are infinite
SMOOTHING = 20.0  # standard deviation of the Gaussian that smooths spectra, in frequency bins
COMPARED = 2000  # samples for the kernel matrices

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
    q_centres = q_centres[~diverged(model).ravel()[chosen]].clip(-FARTHEST, FARTHEST)
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
    return float(1 - (~diverged(model) & ((model >= low) & (model <= high)).all(axis=-1)).mean())


def spectral_distance(truth: Runs, model: Runs) -> float:
    """D_H: Hellinger distance of the smoothed power spectra, mean over the channels; from 0 to 1.

    Spectra are of each run about its own mean, normalised, then averaged over the runs. A run that is lost, or does not
    move, has no spectrum and counts 1.

    Mikhaeil, Monfared and Durstewitz, "On the difficulty of learning chaotic dynamics with RNNs", NeurIPS 2022.
    """
    check_moving(truth, model)
    unit = truth.std(axis=(0, 1))
    p, q = _spectra(truth, unit), _spectra(model, unit)
    lost = 1 - q.any(axis=1).mean(axis=0)
    p, q = _distribution(p), _distribution(q)
    distance = np.sqrt(np.maximum(0.0, 1 - np.sqrt(p * q).sum(axis=0)))
    return float((lost + (1 - lost) * distance).mean())


def mean_discrepancy(truth: Runs, model: Runs) -> float:
    """Maximum mean discrepancy of the distributions of states, from 0 to 2^(1/2), from 2,000 samples of either.

    The kernel is Gaussian, as wide as the median distance within the truth, in standard deviations, or as that between
    states that differ where most do not. All samples that are lost are one state at infinity. Two independent samples
    of one distribution come to about 0.03.

    Gretton et al., "A kernel two-sample test", Journal of Machine Learning Research 13, 2012.
    """
    check_moving(truth, model)
    chosen = _choose(truth, COMPARED, np.random.default_rng(0))
    x, y = _standard(truth, truth)[chosen], _standard(model, truth)[chosen]
    kept = ~diverged(model).ravel()[chosen]
    within = cdist(x, x, "sqeuclidean")
    width = np.median(within) or np.median(within[within > 0])
    count = len(x)
    same, other, across = (
        np.exp(-squares / (2 * width)).sum() / count**2
        for squares in (within, cdist(y[kept], y[kept], "sqeuclidean"), cdist(x, y[kept], "sqeuclidean"))
    )
    return float(np.sqrt(np.maximum(0.0, same + other + (1 - kept.mean()) ** 2 - 2 * across)))


def _box(truth: Runs) -> tuple[np.ndarray, np.ndarray]:
    margin = MARGIN * truth.std(axis=(0, 1))
    return truth.min(axis=(0, 1)) - margin, truth.max(axis=(0, 1)) + margin


def _counts(runs: Runs, low: np.ndarray, high: np.ndarray) -> Float64[np.ndarray, " bins"]:
    """Samples in each bin of the box; those outside or lost are in none."""
    states = runs[~diverged(runs)]
    states = states[((states >= low) & (states <= high)).all(axis=-1)]
    places = np.minimum(((states - low) / (high - low) * BINS).astype(int), BINS - 1)
    weights = BINS ** np.arange(runs.shape[-1])
    return np.bincount(places @ weights, minlength=BINS ** runs.shape[-1]).astype(float)


def _spectra(runs: Runs, unit: Float64[np.ndarray, " dim"]) -> Spectra:
    """Normalised power spectra of the runs; zero where a run is lost or moves by less than MOTIONLESS of a unit."""
    kept = np.isfinite(runs).all(axis=(1, 2), keepdims=True)
    runs = np.where(kept, runs, 0.0)
    least = np.maximum(rounding(runs, axis=1), MOTIONLESS * unit)
    runs = runs - runs.mean(axis=1, keepdims=True)
    size = np.abs(runs).max(axis=1, keepdims=True)
    power = np.abs(np.asarray(fft.rfft(divide(runs, size), axis=1))) ** 2  # divided, lest large squares overflow
    return np.where(size > least, divide(power, power.sum(axis=1, keepdims=True)), 0.0)


def _distribution(spectra: Spectra) -> Float64[np.ndarray, "frequencies dim"]:
    """Mean over the runs, smoothed and normalised; zero for a channel where no run has a spectrum."""
    smooth = gaussian_filter1d(spectra.mean(axis=0), SMOOTHING, axis=0)
    return divide(smooth, smooth.sum(axis=0))


def _choose(runs: Runs, most: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of some of the samples of all runs."""
    count = runs.shape[0] * runs.shape[1]
    return np.sort(rng.permutation(count)[:most])


def _standard(runs: Runs, truth: Runs) -> Points:
    return ((runs - truth.mean(axis=(0, 1))) / truth.std(axis=(0, 1))).reshape(-1, truth.shape[-1])


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


d_stsp = Metric("d_stsp", "nats", "lower", _divergence, group="long run")
out_of_box = Metric("out_of_box", "", "lower", _outside, group="long run")
d_h = Metric("d_h", "", "lower", _spectral, group="long run")
mmd = Metric("mmd", "", "lower", _discrepancy, group="long run")

ATTRACTOR: tuple[Metric, ...] = (d_stsp, out_of_box, d_h, mmd, correlation_dimension)
