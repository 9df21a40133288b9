"""Scores of forecasts that are distributions, given as members that are equally likely.

A forecast without members is one member of its own: its CRPS is its mean absolute error, its spread 0.
"""

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric

Members = Float64[np.ndarray, "member *shape"]


def ensemble_crps(truth: Float64[np.ndarray, "*shape"], members: Members) -> Float64[np.ndarray, "*shape"]:
    """Continuous ranked probability score, E|X - y| - E|X - X'| / 2, of each number; as if members were without end.

    Non-finite members make it infinite. It is summed over the gaps between members, none of which counts less than
    nothing: in the difference above, huge members would leave no digit.

    Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of the American
    Statistical Association 102, 2007; Ferro, "Fair scores for ensemble forecasts", Quarterly Journal of the Royal
    Meteorological Society 140, 2014.
    """
    count = len(members)
    lost = ~np.isfinite(members).all(axis=0)
    ordered = np.sort(np.where(lost, truth, members), axis=0)
    error = np.maximum(ordered[0] - truth, 0.0) + np.maximum(truth - ordered[-1], 0.0)
    if count > 1:
        low, high = ordered[:-1], ordered[1:]
        middle = np.clip(truth, low, high)
        below = np.arange(1.0, count).reshape(-1, *[1] * truth.ndim)  # members below each gap
        above = count - below
        gaps = below * (below - 1) * (middle - low) + above * (above - 1) * (high - middle)
        error = error + gaps.sum(axis=0) / (count * (count - 1))
    return np.where(lost, np.inf, error)


def spread_over_skill(truth: Float64[np.ndarray, "*shape"], members: Members) -> float:
    """Standard deviation of the members over the error of their mean, both root mean squares: 1 where they are honest.

    Both are corrected for the number of members. 0 for a single one; NaN where members are not finite.

    Fortin et al., "Why should ensemble spread match the RMSE of the ensemble mean?", Journal of Hydrometeorology 15,
    2014.
    """
    count = len(members)
    if count == 1:
        return 0.0
    if not np.isfinite(members).all():
        return float("nan")
    variance = members.var(axis=0, ddof=1).mean() * (count + 1) / count
    error = ((members.mean(axis=0) - truth) ** 2).mean()
    return float(np.sqrt(variance / error)) if error else float("inf")


def _members(evidence: Evidence) -> Members:
    """In standard deviations, as the truth below."""
    members = evidence.forecast[None] if evidence.members is None else evidence.members
    return members / evidence.scale


def _crps(evidence: Evidence) -> float:
    """Continuous ranked probability score of all forecasts, in standard deviations; of a single one its mean error."""
    return float(ensemble_crps(evidence.truth / evidence.scale, _members(evidence)).mean())


def _spread_skill(evidence: Evidence) -> float:
    """Spread of the forecasts' members over the error of their mean: 1 is honest, below 1 too sure, 0 one member."""
    return spread_over_skill(evidence.truth / evidence.scale, _members(evidence))


crps = Metric("crps", "std", "lower", _crps)
spread_skill = Metric("spread_skill", "", "truth", _spread_skill)

PROBABILISTIC: tuple[Metric, ...] = (crps, spread_skill)
