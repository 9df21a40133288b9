"""Who cannot be told from the best: on one system by the spread over seeds, over systems by ranks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from results.baseline import scores
from results.ranking import holm, ranking
from results.statistics import LEVEL, column, groups, losses

FEWEST_SYSTEMS = 2  # below which ranks over systems say nothing


def level_by_seeds(frame: pd.DataFrame, learners: Sequence[str]) -> dict[str, set[str]]:
    """For each metric the learners on one system whose trials do not resolve them from the best, and the best itself.

    Welch's test of the log-ratios with Holm's correction at 5 %. No metric where a seed alone cannot resolve anything;
    learners with a failed trial are level with nobody.
    """
    failed = set(column(frame, "learner")[frame["status"] != "ok"])
    by_metric: dict[str, dict[str, np.ndarray]] = {}
    for (metric, learner), mine in groups(scores(frame), "metric", "learner"):
        if learner in learners and learner not in failed and len(mine) > 1:
            by_metric.setdefault(metric, {})[learner] = column(mine, "score").to_numpy()
    return {metric: _level(found) for metric, found in by_metric.items() if len(found) > 1}


def _level(found: Mapping[str, np.ndarray]) -> set[str]:
    best = min(found, key=lambda learner: float(np.median(found[learner])))
    others = [learner for learner in found if learner != best]
    p_values = holm(np.array([welch(found[best], found[other]) for other in others]))
    return {best, *(other for other, p in zip(others, p_values, strict=True) if p > LEVEL)}


def level_by_ranks(frame: pd.DataFrame, metric: str, learners: Sequence[str]) -> set[str]:
    """The learners that ranks over all systems do not resolve from the one with the lowest mean rank, and that one."""
    if len(set(losses(frame, metric)["system"])) < FEWEST_SYSTEMS:
        return set()
    ranks = ranking(frame, learners, metric)
    names = ranks.learners
    return {name for name in names if not ranks.resolved(names[0], name)}


def welch(first: np.ndarray, second: np.ndarray) -> float:
    """P-value of the difference of two means whose variances may differ; samples without any spread differ or do not.

    Welch, "The generalization of 'Student's' problem when several different population variances are involved",
    Biometrika 1947.
    """
    squares = np.array([np.var(sample, ddof=1) / len(sample) for sample in (first, second)])
    difference = abs(first.mean() - second.mean())
    if squares.sum() == 0:
        return 1.0 if difference == 0 else 0.0
    freedom = squares.sum() ** 2 / (squares**2 / [len(first) - 1, len(second) - 1]).sum()
    return float(2 * stats.t.sf(difference / np.sqrt(squares.sum()), freedom))
