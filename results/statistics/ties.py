"""Who cannot be told from the best: on one system by the spread over seeds, over systems by ranks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from results.statistics.intervals import LEVEL
from results.statistics.ranking import holm, ranking
from results.statistics.scores import losses, scores
from results.statistics.trials import column

MOMENTS = ["mean", "std", "count"]
FEWEST_SYSTEMS = 2  # below which ranks over systems say nothing


def level_by_seeds(frame: pd.DataFrame, learners: Sequence[str]) -> dict[str, set[str]]:
    """For each metric the learners on one system whose trials do not resolve them from the best, and the best itself.

    Welch's test of the log-ratios with Holm's correction at 5 %. No metric where a seed alone cannot resolve anything;
    learners with a failed trial are level with nobody.
    """
    failed = set(column(frame, "learner")[frame["status"] != "ok"])
    found = scores(frame).groupby(["metric", "learner"], sort=False)["score"].agg(["median", *MOMENTS])
    found = found.loc[found["count"] > 1].reset_index(level="learner")
    found = found.loc[[learner in learners and learner not in failed for learner in found["learner"]]]
    return {str(metric): _level(mine) for metric, mine in found.groupby(level="metric", sort=False) if len(mine) > 1}


def _level(found: pd.DataFrame) -> set[str]:
    found = found.sort_values("median", kind="stable")
    best, others = found.iloc[0], found.iloc[1:]
    p_values = holm(welch(best[MOMENTS].to_numpy(dtype=float), others[MOMENTS].to_numpy(dtype=float).T))
    return {str(best["learner"]), *(str(other) for other in others.loc[p_values > LEVEL, "learner"])}


def level_by_ranks(frame: pd.DataFrame, metric: str, learners: Sequence[str]) -> set[str]:
    """The learners that ranks over all systems do not resolve from the one with the lowest mean rank, and that one."""
    if len(set(losses(frame, metric)["system"])) < FEWEST_SYSTEMS:
        return set()
    ranks = ranking(frame, learners, metric)
    names = ranks.learners
    return {name for name in names if not ranks.resolved(names[0], name)}


def welch(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """P-values of differences of means whose variances may differ; of samples without any spread they differ or do not.

    `first` and `second` hold mean, standard deviation and number of the samples along their first axis.
    Welch, "The generalization of 'Student's' problem when several different population variances are involved",
    Biometrika 1947.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        p_values = stats.ttest_ind_from_stats(*first, *second, equal_var=False).pvalue
    constant = (first[1] == 0) & (second[1] == 0)
    return np.where(constant, np.where(first[0] == second[0], 1.0, 0.0), p_values)
