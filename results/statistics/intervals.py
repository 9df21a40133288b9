"""Intervals of medians, means and probabilities: by order statistics, and by a seeded bootstrap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import stats

SEED = 0  # of the resampling, so that the same trials always give the same intervals
RESAMPLES = 2000
CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
FEWEST_REPEATS = 10  # trials beyond the first of each stratum, below which a stratified interval would not cover

Values = Float[np.ndarray, "*batch trials"]
Statistic = Callable[..., np.ndarray]  # of an array, along `axis`


@dataclass(frozen=True)
class Interval:
    """A median, and the interval that holds it with 95 % confidence."""

    median: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval; of one seed there is none."""
        return self.low == self.low and self.high == self.high

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two may be the same: where an end is not known (NaN), nothing speaks against it."""
        return not (self.low > other.high or other.low > self.high)


@dataclass(frozen=True)
class Estimate:
    """A statistic with the ends of its 95 % interval, NaN where there are too few trials for one."""

    value: float
    low: float = np.nan
    high: float = np.nan

    @property
    def resolved(self) -> bool:
        """Whether the interval says on which side of zero the statistic lies."""
        return self.low > 0 or self.high < 0


def median_interval(values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of the median along the last axis; NaN where there are too few trials to have one.

    Order statistics, interpolated so that the confidence is met: what the bootstrap of a median tends to, without its
    jumps at small odd counts. Hettmansperger and Sheather, "Confidence intervals based on interpolated order
    statistics", Statistics and Probability Letters 1986.
    """
    ordered, n = np.sort(values, axis=-1), values.shape[-1]
    inside = 1 - 2 * stats.binom.cdf(np.arange(n // 2 + 1) - 1, n, 0.5)  # confidence of the k-th value from each end
    if n < 2 or inside[1] < CONFIDENCE:
        return np.full(values.shape[:-1], np.nan), np.full(values.shape[:-1], np.nan)
    outer = int(np.flatnonzero(inside >= CONFIDENCE)[-1])
    excess = (inside[outer] - CONFIDENCE) / (inside[outer] - inside[outer + 1]) if outer < n // 2 else 0.0
    share = (n - outer) * excess / (outer + (n - 2 * outer) * excess)
    low = (1 - share) * ordered[..., outer - 1] + share * ordered[..., min(outer, n - 1)]
    high = (1 - share) * ordered[..., n - outer] + share * ordered[..., n - outer - 1]
    return low, high


def interquartile_mean(values: Values, axis: int = -1) -> np.ndarray:
    """Mean of the middle half of the values: nearly as robust as the median, and less noisy.

    Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021.
    """
    ordered = np.moveaxis(np.sort(values, axis), axis, -1)  # faster than by scipy, which partitions
    cut = ordered.shape[-1] // 4
    return ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)


def stratified(strata: Sequence[Float[np.ndarray, " trials"]], statistic: Statistic) -> Estimate:
    """A statistic of all trials, with its bootstrap interval for trials drawn anew within each stratum (a system).

    Of `n` trials `n - 1` are drawn, which gives the variance of the statistic no bias, and the interval is widened from
    the normal quantile to Student's. McCarthy and Snowden, "The bootstrap and finite population sampling", 1985;
    Hesterberg, "What teachers should know about the bootstrap", American Statistician 2015.
    """
    value = float(statistic(np.concatenate(strata), axis=-1))
    repeats = sum(len(stratum) - 1 for stratum in strata)
    if repeats < FEWEST_REPEATS:
        return Estimate(value)
    drawn = [stratum.astype(np.float32)[_resample(place, len(stratum))] for place, stratum in enumerate(strata)]
    return Estimate(value, *_ends(statistic(np.concatenate(drawn, axis=-1), axis=-1), repeats))


def probability_of_improvement(
    first: Sequence[Float[np.ndarray, " trials"]], second: Sequence[Float[np.ndarray, " trials"]]
) -> Estimate:
    """How probable it is that a trial of `first` has a smaller loss than one of `second` on a system drawn at random.

    Losses of the trials by system; ties count half. Agarwal et al., NeurIPS 2021.
    """
    chances = []
    drawn = []
    for place, (one, other) in enumerate(zip(first, second, strict=True)):
        ahead = (one[:, None] < other) + 0.5 * (one[:, None] == other)
        counts = _counts(2 * place, len(one))
        counts_of_other = _counts(2 * place + 1, len(other))
        chances.append(ahead.mean())
        drawn.append(
            ((counts @ ahead.astype(np.float32)) * counts_of_other).sum(axis=1)
            / (counts[0].sum() * counts_of_other[0].sum())
        )
    repeats = sum(len(trials) - 1 for trials in first)
    value = float(np.mean(chances))
    if repeats < FEWEST_REPEATS:
        return Estimate(value)
    low, high = _ends(np.mean(drawn, axis=0), repeats)
    return Estimate(value, max(low, 0.0), min(high, 1.0))


def prediction_time_interval(vpt: Float[np.ndarray, "seed batch"], longest: float = np.inf) -> Interval:
    """Median over seeds of the median over test states, with its interval; NaN ends where there is but one seed.

    No time is below 0 or above the `longest` that can be seen, and neither are the ends of the interval.

    Seeds and test states are both random. The variance of the mean of the seeds' medians is that over seeds, and that
    over test states, which all seeds share: each state is drawn anew with the values of all seeds. The degrees of
    freedom of their sum are Satterthwaite's.
    """
    of_seeds = np.median(vpt, axis=1)
    median, mean = float(np.median(of_seeds)), float(of_seeds.mean())
    seeds, states = vpt.shape
    if seeds < 2 or states < 2:
        return Interval(median, np.nan, np.nan)
    drawn = np.random.default_rng(SEED).integers(0, states, (RESAMPLES, states))
    batches = np.array_split(drawn, 10)  # bounds the memory
    by_state = np.concatenate([np.median(vpt[:, some], axis=-1).mean(axis=0) for some in batches]).var()
    by_seed = of_seeds.var(ddof=1) / seeds
    variance = by_seed + by_state
    if not variance:
        return Interval(median, median, median)
    freedom = variance**2 / (by_seed**2 / (seeds - 1) + by_state**2 / (states - 1))
    reach = float(stats.t.ppf(1 - LEVEL / 2, freedom) * np.sqrt(variance))
    low, high = min(max(mean - reach, 0.0), median), max(min(mean + reach, longest), median)
    return Interval(median, low, high)


@lru_cache(maxsize=64)
def _resample(stratum: int, n: int) -> np.ndarray:
    """Places of the trials of each resample of one stratum; the same for all that is compared."""
    return np.random.default_rng([SEED, stratum]).integers(0, n, (RESAMPLES, max(n - 1, 1)), dtype=np.int32)


@lru_cache(maxsize=64)
def _counts(stratum: int, n: int) -> np.ndarray:
    """How often each of them was drawn, in float32, whose sums are still exact."""
    drawn = _resample(stratum, n) + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * RESAMPLES).reshape(RESAMPLES, n).astype(np.float32)


def _ends(resamples: np.ndarray, repeats: int) -> tuple[float, float]:
    tail = stats.norm.cdf(stats.t.ppf((1 - CONFIDENCE) / 2, repeats))
    low, high = np.quantile(resamples, [tail, 1 - tail])
    return float(low), float(high)
