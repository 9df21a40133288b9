"""Several seeds of a learner, fitted together, and a figure of their measures: the median, with lowest and highest."""

from collections.abc import Sequence

import numpy as np

from bench.published.table import Figure
from learners import Budget, Learner, Predictor
from systems import Dataset

SEEDS = (0, 1, 2)
BUDGET = Budget(0.3)  # of the standard number of updates, so that all tables together take half an hour


def fitted(learner: Learner, data: Dataset, budget: Budget = BUDGET) -> list[Predictor]:
    """One model for each seed; one in all where they are the same."""
    return list(dict.fromkeys(learner.fit_replicas(data, budget, SEEDS)))


def median(values: Sequence[float], published: float | None = None, decimals: int = 3) -> Figure:
    """The median of seeds, and their spread where there is one."""
    low, high = (f"{extreme:.{decimals}f}" for extreme in (min(values), max(values)))
    return Figure(float(np.median(values)), published, decimals, note="" if low == high else f"{low} to {high}")
