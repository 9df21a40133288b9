"""Measures of several seeds of a learner, as one figure: their median, with the lowest and the highest of them."""

from collections.abc import Sequence

import numpy as np

from bench.published.table import Figure
from learners import Budget

SEEDS = (0, 1, 2)
BUDGET = Budget(0.3)  # of the standard number of updates, so that all tables together take half an hour


def median(values: Sequence[float], published: float | None = None, decimals: int = 3) -> Figure:
    """The median of seeds, and their spread where there is one."""
    low, high = (f"{extreme:.{decimals}f}" for extreme in (min(values), max(values)))
    return Figure(float(np.median(values)), published, decimals, note="" if low == high else f"{low} to {high}")
