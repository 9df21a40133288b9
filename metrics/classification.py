"""How well images are classified, and what continuous depth costs: measures of the evidence of one trial."""

from dataclasses import dataclass, field
from math import nan

import numpy as np
from jaxtyping import Float64, Int64

from metrics.base import Metric, Undefined
from metrics.cost import (
    fit_seconds,
    nfe_backward,
    nfe_forward,
    parameters,
    peak_bytes,
    samples,
    saved_bytes,
    updates,
)

BINS = 15  # of confidence
TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class ClassificationCost:
    """What fitting one trial and classifying its test images took."""

    parameters: int
    updates: int
    nfe_forward: float  # function evaluations of one update
    nfe_backward: float
    fit_seconds: float
    test_seconds: float
    saved_bytes: float
    peak_bytes: float
    samples: float = nan  # images that all updates have seen; NaN where nobody counted them


@dataclass(frozen=True)
class DepthSweep:
    """What solving a trained block of continuous depth takes at several tolerances; empty without such a block."""

    tolerance: Float64[np.ndarray, " tolerance"] = field(default_factory=lambda: np.empty(0))
    error: Float64[np.ndarray, " tolerance"] = field(default_factory=lambda: np.empty(0))  # relative, of its output
    nfe_forward: Float64[np.ndarray, " tolerance"] = field(default_factory=lambda: np.empty(0))
    nfe_backward: Float64[np.ndarray, " tolerance"] = field(default_factory=lambda: np.empty(0))
    forward_seconds: Float64[np.ndarray, " tolerance"] = field(default_factory=lambda: np.empty(0))
    saved_bytes: Float64[np.ndarray, " tolerance"] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class ClassificationEvidence:
    """What one trial leaves to be measured: what the model says of the test images beside the truth, and costs."""

    probabilities: Float64[np.ndarray, "image class"]
    labels: Int64[np.ndarray, " image"]
    cost: ClassificationCost
    nfe_history: Float64[np.ndarray, " point"] = field(default_factory=lambda: np.empty(0))  # forward, through training
    sweep: DepthSweep = field(default_factory=DepthSweep)


@dataclass(frozen=True)
class ClassificationMetric(Metric):
    """A measure of a trial of classification; it has nothing to say about forecasts."""


def error_rate(probabilities: Float64[np.ndarray, "image class"], labels: Int64[np.ndarray, " image"]) -> float:
    """Fraction of images whose most probable class is not theirs."""
    return float(np.mean(probabilities.argmax(axis=1) != labels))


def log_loss(probabilities: Float64[np.ndarray, "image class"], labels: Int64[np.ndarray, " image"]) -> float:
    """Mean negative logarithm of the probability of the true class, in nats."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], TINY)).mean())


def expected_calibration_error(
    probabilities: Float64[np.ndarray, "image class"], labels: Int64[np.ndarray, " image"], bins: int = BINS
) -> float:
    """Mean distance between confidence and accuracy, over equal bins of confidence, weighted by their images.

    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    surplus = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(surplus).sum() / len(labels))


def power(x: Float64[np.ndarray, " point"], y: Float64[np.ndarray, " point"]) -> float:
    """The p of y ~ x^p: slope of the regression of log y on log x. Raises Undefined where x hardly varies."""
    if len(x) < 3 or x.max() < 1.2 * x.min():
        raise Undefined("no adaptive solver took different numbers of evaluations at three tolerances")
    return float(np.polyfit(np.log(x), np.log(np.maximum(y, TINY)), 1)[0])


def growth(x: Float64[np.ndarray, " point"], y: Float64[np.ndarray, " point"]) -> float:
    """The p of y - y0 ~ (x - x0)^p, from the point of the least x on; 0 where y grows by less than a thousandth of y0.

    So 1 where y grows linearly, whatever it is at x = 0, which a power of y itself would take for slower growth. Points
    that gain nothing have no logarithm, and are left out, as where evaluations went into steps that were rejected.
    Raises Undefined where x hardly varies, or fewer than two points gain.
    """
    least = np.argmin(x) if len(x) else 0
    further = x > x[least : least + 1]
    if further.sum() < 2 or x.max() < 1.2 * x.min():
        raise Undefined("no adaptive solver took different numbers of evaluations at three tolerances")
    gained = y[further] - y[least]
    if np.abs(gained).max() < 1e-3 * abs(y[least]):
        return 0.0
    gains = gained > 0
    if gains.sum() < 2:
        raise Undefined("fewer than two tolerances keep more bytes than the one of the fewest evaluations")
    return float(np.polyfit(np.log(x[further][gains] - x[least]), np.log(gained[gains]), 1)[0])


def _test_error(evidence: ClassificationEvidence) -> float:
    """Test images that are given a wrong class."""
    return 100 * error_rate(evidence.probabilities, evidence.labels)


def _cross_entropy(evidence: ClassificationEvidence) -> float:
    """Mean negative logarithm of the probability of the true class."""
    return log_loss(evidence.probabilities, evidence.labels)


def _calibration_error(evidence: ClassificationEvidence) -> float:
    """Expected distance between confidence and accuracy, over 15 bins."""
    return 100 * expected_calibration_error(evidence.probabilities, evidence.labels)


def _images_per_second(evidence: ClassificationEvidence) -> float:
    """Test images classified in a second."""
    return len(evidence.labels) / evidence.cost.test_seconds


def _error_power(evidence: ClassificationEvidence) -> float:
    """The p of numerical error ~ NFE^p, over tolerances: below 0 where more evaluations make for less error."""
    return power(evidence.sweep.nfe_forward, evidence.sweep.error)


def _time_power(evidence: ClassificationEvidence) -> float:
    """The p of forward time ~ NFE^p, over tolerances: 1 where time is proportional."""
    return power(evidence.sweep.nfe_forward, evidence.sweep.forward_seconds)


def _memory_power(evidence: ClassificationEvidence) -> float:
    """The p of added bytes ~ added NFE^p, over tolerances: 1 where memory grows linearly, 0 where it does not grow."""
    return growth(evidence.sweep.nfe_forward, evidence.sweep.saved_bytes)


def _backward_ratio(evidence: ClassificationEvidence) -> float:
    """Backward NFE over forward NFE, median over tolerances."""
    if not len(evidence.sweep.tolerance):
        raise Undefined("there is no adaptive solver")
    return float(np.median(evidence.sweep.nfe_backward / evidence.sweep.nfe_forward))


def _nfe_growth(evidence: ClassificationEvidence) -> float:
    """Forward NFE of an update in the last fifth of training over that in the first."""
    history = evidence.nfe_history
    if not len(evidence.sweep.tolerance) or len(history) < 2:
        raise Undefined("no adaptive solver was followed through training")
    fifth = max(1, len(history) // 5)
    return float(history[-fifth:].mean() / history[:fifth].mean())


test_error = ClassificationMetric("test_error", "%", "lower", _test_error)
cross_entropy = ClassificationMetric("cross_entropy", "nats", "lower", _cross_entropy)
calibration_error = ClassificationMetric("calibration_error", "%", "lower", _calibration_error)
images_per_second = ClassificationMetric("images_per_second", "1 / s", "higher", _images_per_second)
error_power = ClassificationMetric("error_power", "", "lower", _error_power)
time_power = ClassificationMetric("time_power", "", "lower", _time_power)
memory_power = ClassificationMetric("memory_power", "", "lower", _memory_power)
backward_ratio = ClassificationMetric("backward_ratio", "", "lower", _backward_ratio)
nfe_growth = ClassificationMetric("nfe_growth", "", "lower", _nfe_growth)

CLASSIFICATION_COSTS: tuple[Metric, ...] = (
    nfe_forward,
    nfe_backward,
    saved_bytes,
    peak_bytes,
    updates,
    samples,
    fit_seconds,
    parameters,
)  # of both families
CLASSIFICATION: tuple[Metric, ...] = (
    test_error,
    cross_entropy,
    calibration_error,
    images_per_second,
    *CLASSIFICATION_COSTS,
)
DEPTH: tuple[Metric, ...] = (error_power, time_power, memory_power, backward_ratio, nfe_growth)
