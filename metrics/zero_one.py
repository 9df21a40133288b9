"""The 0-1 test for chaos: whether a series, turned into a motion in the plane, wanders off or stays in bounds.

Series are taken about their mean and in units of their largest deviation, so that K does not depend on the units nor on
the zero of what was measured.

Gottwald and Melbourne, "On the implementation of the 0-1 test for chaos", SIAM Journal on Applied Dynamical Systems 8,
2009.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float64
from scipy import fft, special

from metrics.base import Evidence, Metric
from metrics.validation import MOTIONLESS, Undefined, check_scale, rounding

FEWEST_SAMPLES = 1000  # below this K is not reliable
FEWEST_TESTED = 20  # below this it is not defined
OVERSAMPLED = 10.0  # range over mean absolute difference, above which a chaotic flow passes for regular
PQ_FREQUENCY = 1.0  # c of the translation curves that are drawn
BINS = 16  # of equal probability, for the mutual information
TOGETHER = 2**14  # samples of paths of several frequencies that stay in the cache

# Drawn once, and the same for every series, so that truth and models are measured alike.
FREQUENCIES = np.random.default_rng(20091).uniform(np.pi / 5, 4 * np.pi / 5, 100)

Series = Float64[np.ndarray, " samples"]
Motion = Float64[np.ndarray, "2 samples"]
Runs = Float64[np.ndarray, "runs samples"]


@dataclass(frozen=True)
class ZeroOne:
    """Outcome of the test on one series: K near 0 is regular, near 1 chaotic."""

    c: Float64[np.ndarray, " frequencies"]
    k_of_c: Float64[np.ndarray, " frequencies"]
    lag: int  # at which the series was subsampled
    samples: int  # that were left
    oversampling: float  # (max - min) / mean |difference| of those

    @property
    def k(self) -> float:
        """Median over the frequencies."""
        return float(np.median(self.k_of_c))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of K over the draw of frequencies: that of a median, from its order statistics."""
        count = len(self.k_of_c)
        rank = int((special.bdtr(np.arange(count), count, 0.5) < 0.025).sum())
        ordered = np.sort(self.k_of_c)
        return float(ordered[max(rank - 1, 0)]), float(ordered[min(count - rank, count - 1)])

    @property
    def is_short(self) -> bool:
        """Fewer samples than the test needs."""
        return is_short(self.samples)

    @property
    def is_oversampled(self) -> bool:
        """Sampled so densely that chaos may pass for regular motion."""
        return is_oversampled(self.oversampling)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why K may mislead, in words; empty where it may be trusted."""
        thinned = f" after taking every {self.lag}th" if self.lag > 1 else ""
        short = f"only {self.samples} samples{thinned}: K needs {FEWEST_SAMPLES}"
        dense = (
            f"oversampled: the range is {self.oversampling:.3g} mean differences, above {OVERSAMPLED:g}, "
            f"so that chaos may pass for regular: raise the lag from {self.lag}"
        )
        return ((short,) if self.is_short else ()) + ((dense,) if self.is_oversampled else ())


def zero_one(
    series: Series, lag: int = 1, c: Float64[np.ndarray, " frequencies"] = FREQUENCIES, scale: float = 0.0
) -> ZeroOne:
    """Test every `lag`-th sample of a series.

    A series at rest is regular: K = 0. It is at rest where its range is below the rounding of its own numbers, or below
    1e-5 of `scale`, such as the standard deviation of the truth. Raises ValueError where the samples are not
    finite or fewer than 20, and where the lag is below 1.
    """
    if lag < 1:
        raise ValueError(f"lag must be at least 1, but is {lag!r}")
    phi = series[::lag]
    _check(phi)
    size = np.abs(phi).max() or 1.0
    phi = phi / size  # so that sums of large numbers do not overflow
    if np.ptp(phi) <= max(rounding(phi).item(), MOTIONLESS * scale / size):
        return ZeroOne(c, np.zeros(len(c)), lag, len(phi), oversampling=0.0)
    phi -= phi.mean()
    phi /= np.abs(phi).max()
    few = max(1, TOGETHER // len(phi))
    k_of_c = np.concatenate([_growth(phi, c[begin : begin + few]) for begin in range(0, len(c), few)])
    return ZeroOne(c, k_of_c, lag, len(phi), oversampling=oversampling(phi))


def is_short(samples: int) -> bool:
    """Whether there are fewer samples than the test needs."""
    return samples < FEWEST_SAMPLES


def is_oversampled(oversampling: float) -> bool:
    """Whether samples are so dense that chaos may pass for regular motion."""
    return oversampling > OVERSAMPLED


def oversampling(series: Series | Runs, lag: int = 1) -> float:
    """Range over mean absolute difference of samples a lag apart: how many of these a crossing of the range takes.

    0 where they do not differ at all, as in a constant series.
    """
    spread = np.ptp(series)
    change = np.abs(series[..., lag:] - series[..., :-lag]).mean() if spread else 0.0
    return float(spread / change) if change else 0.0


def translation(series: Series, c: float) -> Motion:
    """The translation variables p(n) = sum_{j<=n} phi(j) cos(jc) and q(n), likewise with the sine, for n = 1 .. N."""
    path = _path(series, c)
    return np.stack([np.real(path), np.imag(path)])


def mean_square_displacement(
    series: Series, c: float | Float64[np.ndarray, "*frequencies"]
) -> Float64[np.ndarray, "*frequencies lags"]:
    """M_c(n) = mean_j (p(j + n) - p(j))^2 + (q(j + n) - q(j))^2 for n = 1 .. N/10.

    The mean is over the N - N/10 starts j that all n share: with fewer starts for larger n, a transient would look like
    growth. Expanded, it is sums of squares over sliding ranges and a correlation, O(N log N) by Fourier transforms.
    """
    path = _path(series, c)
    lags = len(series) // 10
    starts = len(series) - lags
    square = np.real(path) ** 2 + np.imag(path) ** 2
    at_start = square[..., :starts].sum(axis=-1, keepdims=True)
    at_end = at_start - np.cumsum(square[..., :lags], axis=-1) + np.cumsum(square[..., starts:], axis=-1)
    length = fft.next_fast_len(len(series))
    ends, begins = np.asarray(fft.fft(path, length)), np.asarray(fft.fft(path[..., :starts], length))
    correlation = np.asarray(fft.ifft(ends * np.conj(begins), overwrite_x=True))[..., 1 : lags + 1]
    return (at_start + at_end - 2 * np.real(correlation)) / starts


def first_minimum_of_mutual_information(series: Series | Runs) -> int:
    """Lag at which a series first tells least about its own future, from pairs within each run.

    Histograms have 16 bins of equal probability. Falls back on the first minimum of the autocorrelation, and on 1 where
    there is none within a tenth of the samples, as in a constant series.

    Fraser and Swinney, "Independent coordinates for strange attractors from mutual information", Physical Review A 33,
    1986.
    """
    runs = np.atleast_2d(series)
    _check_finite(runs.ravel())
    limit = runs.shape[1] // 10
    labels = np.searchsorted(np.quantile(runs, np.arange(1, BINS) / BINS), runs, side="right")
    centred = runs - runs.mean()
    return (
        _first_minimum(_mutual_information(labels[:, :-lag], labels[:, lag:]) for lag in range(1, limit + 1))
        or _first_minimum(float((centred[:, :-lag] * centred[:, lag:]).mean()) for lag in range(1, limit + 1))
        or 1
    )


def subsampling(truth: Runs) -> int:
    """Lag at which series are subsampled for the test: the first minimum of the truth's mutual information.

    It is raised while samples are so close that chaos might pass for regular motion, up to a tenth of a run; and
    lowered as long as they would not be, where it would leave fewer than 1,000 samples of a run.
    """
    lag = first_minimum_of_mutual_information(truth)
    while lag < truth.shape[1] // 10 and is_oversampled(oversampling(truth, lag)):
        lag += 1
    while lag > max(1, truth.shape[1] // FEWEST_SAMPLES) and not is_oversampled(oversampling(truth, lag - 1)):
        lag -= 1
    return lag


def climate_tests(evidence: Evidence) -> list[ZeroOne]:
    """Test the first channel of the model's long forecasts.

    Truth and models are subsampled alike, as suits the truth. A forecast that diverges is tested up to there; those
    with fewer than 1,000 samples left are missing from the list.
    Raises Undefined where the truth's own runs have fewer.
    """
    lag = subsampling(evidence.climate_truth[:, :, 0])
    samples = -(-evidence.climate_truth.shape[1] // lag)
    if is_short(samples):
        raise Undefined(
            f"the 0-1 test needs {FEWEST_SAMPLES} samples that are not too close to each other, but one in {lag} "
            f"of {evidence.climate_truth.shape[1]} leaves {samples}: raise the climate horizon"
        )
    runs = [_finite_part(run) for run in evidence.climate[:, :, 0]]
    return [zero_one(run, lag, scale=evidence.scale[0]) for run in runs if not is_short(-(-len(run) // lag))]


def translation_curves(evidence: Evidence, c: float = PQ_FREQUENCY) -> tuple[Motion, Motion]:
    """Translation variables of the first long run's first channel, of the truth and of the model.

    Both are subsampled as for the test, about the mean of the truth and in standard deviations of the training data;
    NaN beyond a divergence.

    Returns:
        p and q of the truth, and of the model: two arrays `[2, samples]`.

    Raises Undefined where that channel is constant in the training data.
    """
    check_scale(evidence.climate_truth[..., :1], evidence.scale[:1])
    lag = subsampling(evidence.climate_truth[:, :, 0])
    truth, model = (runs[0, ::lag, 0] for runs in (evidence.climate_truth, evidence.climate))
    truth, model = ((series - truth.mean()) / evidence.scale[0] for series in (truth, model))
    curve = np.full((2, len(model)), np.nan)
    part = _finite_part(model)
    curve[:, : len(part)] = translation(part, c)
    return translation(truth, c), curve


def _growth(series: Series, c: Float64[np.ndarray, " frequencies"]) -> Float64[np.ndarray, " frequencies"]:
    """K_c: correlation with n of the mean square displacement of a series of mean zero, which adds no oscillation."""
    displacement = mean_square_displacement(series, c)
    displacement -= displacement.mean(axis=1, keepdims=True)
    n = np.arange(displacement.shape[1]) - (displacement.shape[1] - 1) / 2
    return np.clip(displacement @ n / np.sqrt((displacement**2).sum(axis=1) * (n @ n)), -1.0, 1.0)


def _path(
    series: Series, c: float | Float64[np.ndarray, "*frequencies"]
) -> Complex128[np.ndarray, "*frequencies samples"]:
    """p + i q. Powers of exp(ic) are products of two short rows of powers, for speed."""
    width = math.isqrt(len(series)) + 1
    frequency = 1j * np.asarray(c)[..., None]
    turn, turns = np.exp(frequency * np.arange(1, width + 1)), np.exp(frequency * width * np.arange(width))
    powers = (turns[..., :, None] * turn[..., None, :]).reshape(*np.shape(c), -1)
    return np.cumsum(series * powers[..., : len(series)], axis=-1)


def _finite_part(series: Series) -> Series:
    finite = np.isfinite(series)
    return series if finite.all() else series[: finite.argmin()]


def _mutual_information(now: np.ndarray, later: np.ndarray) -> float:
    """In nats, of two arrays of bin numbers."""
    joint = np.bincount((now * BINS + later).ravel(), minlength=BINS**2).reshape(BINS, BINS) / now.size
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / apart[seen])).sum())


def _first_minimum(values: Iterator[float]) -> int | None:
    """Position, from 1, of the first value that is below the one before it and not above the next."""
    before = math.inf
    here = next(values, math.inf)
    for position, after in enumerate(values, start=1):
        if math.inf > before > here <= after:
            return position
        before, here = here, after
    return None


def _check(series: Series) -> None:
    if series.ndim != 1 or len(series) < FEWEST_TESTED:
        raise ValueError(
            f"the 0-1 test needs a series of at least {FEWEST_TESTED} samples, but has an array of shape {series.shape}"
        )
    _check_finite(series)


def _check_finite(series: Series) -> None:
    if not np.isfinite(series).all():
        first = int(np.isfinite(series).argmin())
        raise ValueError(f"the 0-1 test needs a finite series, but sample {first} is {series[first]}")


def _chaos(evidence: Evidence) -> float:
    """0-1 test of the model's long forecasts: near 0 regular, near 1 chaotic; median over runs and 100 frequencies."""
    tests = climate_tests(evidence)
    if 2 * len(tests) < len(evidence.climate):
        return math.nan
    if 2 * sum(test.is_oversampled for test in tests) >= len(tests):
        density = np.median([test.oversampling for test in tests])
        raise Undefined(
            f"one sample in {tests[0].lag} of the long forecasts is too dense for the 0-1 test: their range is "
            f"{density:.3g} mean differences, above {OVERSAMPLED:g}, so that chaos may pass for regular"
        )
    tests = [test for test in tests if not test.is_oversampled]
    return float(np.median(np.concatenate([test.k_of_c for test in tests])))


zero_one_k = Metric("zero_one_k", "", "truth", _chaos, group="long run")
