"""Tests of whether a difference is more than chance: of ranks, of pairs, of means, of many at once."""

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from results.statistics.intervals import LEVEL


def friedman(table: pd.DataFrame) -> tuple[float, float]:
    """Friedman's chi-squared of a table of losses, a row for each block, and the p-value of its F form.

    Ties share a rank, and the statistic is corrected for them: it is `scipy.stats.friedmanchisquare`'s, also for two
    columns. NaN and 1 where all is tied, or there is but one row or column.

    Conover, "Practical nonparametric statistics", 3rd edition, 1999; Iman and Davenport, 1980.
    """
    blocks, count = table.shape
    deviations = table.rank(axis="columns").to_numpy() - (count + 1) / 2
    if blocks < 2 or not deviations.any():
        return np.nan, 1.0
    statistic = (count - 1) * np.sum(deviations.sum(axis=0) ** 2) / np.sum(deviations**2)
    left = blocks * (count - 1) - statistic
    ratio = (blocks - 1) * statistic / left if left > 1e-9 else np.inf
    return float(statistic), float(stats.f.sf(ratio, count - 1, (count - 1) * (blocks - 1)))


def critical_difference(count: int, blocks: int, level: float = LEVEL) -> float:
    """The least difference of mean ranks that Nemenyi's test of `count` learners on so many blocks resolves."""
    return float(stats.studentized_range.ppf(1 - level, count, np.inf) * sqrt(count * (count + 1) / (12 * blocks)))


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for their number, so that the chance of any false alarm stays below the level.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
    """
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    return np.minimum(steps, 1.0)[np.argsort(order)]


def signed_ranks(first: np.ndarray, second: np.ndarray) -> float:
    """P-value of Wilcoxon's signed ranks; equal pairs (two failures too) count half for each side."""
    same = first == second
    differences = np.where(same, 0.0, np.where(same, 0.0, first) - np.where(same, 0.0, second))
    test: Any = stats.wilcoxon
    return float(test(differences, zero_method="zsplit").pvalue) if differences.any() else 1.0


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
