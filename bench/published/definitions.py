"""Measures as the papers of other tables define them, where these are not ours: states are `[samples, dim]`.

Their state-space divergence takes the range of the truth for its box, and drops what leaves it, where ours adds a
margin and takes it from the probabilities; their spectra are of one run.
"""

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import cdist

States = Float64[np.ndarray, "samples dim"]

BINS, PSEUDOCOUNT = 30, 1e-5
SMOOTHING = 20.0  # frequency bins
DIRECTIONS = 64


def state_space_divergence(truth: States, model: States) -> float:
    """Kullback-Leibler divergence over 30 bins an axis of the range of the truth, with Laplace's smoothing, in nats.

    Infinite where no sample of the model is within that range. The lowest bin of each axis counts as outside.

    As in the code of Brenner et al., "Almost-linear RNNs", NeurIPS 2024, and of Hemmer and Durstewitz, "True zero-shot
    inference of dynamical systems preserving long-term statistics", NeurIPS 2025.
    """
    low, high = truth.min(axis=0), truth.max(axis=0)
    p, q = (_histogram(run, low, high) for run in (truth, model))
    if not q.any():
        return np.inf
    p, q = ((one + PSEUDOCOUNT) / (one.sum() + PSEUDOCOUNT * p.size) for one in (p, q))
    return float((p * np.log(p / q)).sum())


def _histogram(run: States, low: np.ndarray, high: np.ndarray) -> Float64[np.ndarray, " bins"]:
    run = run[np.isfinite(run).all(axis=1)]
    places = np.floor(BINS * (run - low) / (high - low))
    inside = ((places > 0) & (places < BINS)).all(axis=1)
    weights = BINS ** np.arange(run.shape[1])
    return np.bincount(places[inside].astype(int) @ weights, minlength=BINS ** run.shape[1]).astype(float)


def spectral_distance(truth: States, model: States) -> float:
    """Hellinger distance of smoothed power spectra, mean over the channels; 1 where the model is not finite, or rests.

    Both of the same length. As in the same code.
    """
    if not np.isfinite(model).all() or not (model.std(axis=0) > 0).all():
        return 1.0
    p, q = (_spectrum(run) for run in (truth, model))
    return float(np.sqrt(np.maximum(0.0, 1 - np.sqrt(p * q).sum(axis=0))).mean())


def _spectrum(run: States) -> Float64[np.ndarray, "frequencies dim"]:
    power = np.abs(np.fft.rfft((run - run.mean(axis=0)) / run.std(axis=0), axis=0)) ** 2
    smooth = gaussian_filter1d(power, SMOOTHING, axis=0)
    return smooth / smooth.sum(axis=0)


def sliced_wasserstein(truth: States, model: States) -> float:
    """Wasserstein-1 distance of the projections of two channels on a line, mean over its directions.

    Both of the same length; infinite where the model is not finite. Directions are evenly spread, where the paper draws
    a thousand of them.

    Göring et al., "Out-of-domain generalization in dynamical systems reconstruction", ICML 2024: statistical error.
    """
    if not np.isfinite(model).all():
        return np.inf
    angles = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    directions = np.stack([np.cos(angles), np.sin(angles)])
    p, q = (np.sort(run @ directions, axis=0) for run in (truth, model))
    return float(abs(p - q).mean())


def hausdorff(truth: States, model: States) -> float:
    """The largest distance of a sample of either from the nearest of the other; infinite if not finite."""
    if not np.isfinite(model).all():
        return np.inf
    distances = cdist(truth, model)
    return float(max(distances.min(axis=1).max(), distances.min(axis=0).max()))
