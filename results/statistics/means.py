"""Means over seeds, and over systems: how far another run with other seeds may lie from them, by Student's t.

Seeds are the unit of replication: test states and repeated forecasts within a seed are no replicates of a training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, sqrt

import numpy as np
from jaxtyping import Float
from scipy import stats

from results.statistics.intervals import LEVEL, Estimate


@dataclass(frozen=True)
class Mean:
    """A mean, the estimated variance of that mean, and the degrees of freedom of this estimate.

    Without degrees of freedom nothing is known of the variance, which is infinite; with infinitely many the mean is
    exact.
    """

    value: float
    variance: float
    freedom: float

    def interval(self, level: float = LEVEL) -> Estimate:
        """The mean with the ends of its interval of confidence `1 - level`; NaN where the variance is unknown."""
        if not self.freedom:
            return Estimate(self.value)
        reach = float(stats.t.ppf(1 - level / 2, self.freedom)) * sqrt(self.variance)
        return Estimate(self.value, self.value - reach, self.value + reach)

    def p_value(self, two_sided: bool = False) -> float:
        """Of the hypothesis that the mean is zero, against greater ones, or against any other."""
        value = abs(self.value) if two_sided else self.value
        if not self.variance:
            return float(value <= 0)
        tail = float(stats.t.sf(value / sqrt(self.variance), max(self.freedom, 1)))
        return min(1.0, 2 * tail) if two_sided else tail

    def visible(self, level: float) -> float:
        """The least mean that would be significantly greater than zero at this level; infinite where none would be."""
        if not self.variance:
            return 0.0
        return float(stats.t.ppf(1 - level, self.freedom) * sqrt(self.variance)) if self.freedom else inf


def mean_of_seeds(values: Float[np.ndarray, " seeds"], deviation: float = 0.0, repeats: int = 0) -> Mean:
    """The mean of one number of each seed.

    Args:
        values: a number of each seed, at least one.
        deviation: the standard deviation of such numbers that is known from trials which are one side of the
            differences that `values` are, and from others like them.
        repeats: its degrees of freedom; both estimates of the variance are pooled. They share half of their variance,
            so that together they have fewer degrees of freedom than their sum: what the variance of a sum of squares
            with this covariance comes to, by Satterthwaite's rule.
    """
    mean, count = float(np.mean(values)), len(values)
    own = count - 1
    if not own + repeats:
        return Mean(mean, inf, 0)
    squares = float(((values - mean) ** 2).sum()) + repeats * deviation**2
    freedom = (own + repeats) ** 2 / (own + repeats + min(own, repeats))
    return Mean(mean, squares / (own + repeats) / count, freedom)


def mean_over(means: Sequence[Mean]) -> Mean:
    """The mean of independent means, such as those on several systems, all of equal weight.

    Its degrees of freedom are those of Satterthwaite, "An approximate distribution of estimates of variance
    components", Biometrics Bulletin 1946.
    """
    value = float(np.mean([one.value for one in means]))
    variances = [one.variance / len(means) ** 2 for one in means]
    variance = sum(variances)
    if isinf(variance):
        return Mean(value, inf, 0)
    spread = sum(own**2 / one.freedom for own, one in zip(variances, means, strict=True) if own)
    return Mean(value, variance, variance**2 / spread if spread else inf)
