"""What many trials say together: medians with bootstrap intervals, and ranks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import stats

SEED = 0  # of the resampling, so that the same trials always give the same intervals
RESAMPLES = 2000
CONFIDENCE = 0.95

Values = Float[np.ndarray, "*batch trials"]
TRIAL = ["system", "learner", "metric"]


@dataclass(frozen=True)
class Interval:
    """A median, and the interval that holds it with 95 % confidence."""

    median: float
    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        return self.low <= other.high and other.low <= self.high


def median_interval(values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the percentile bootstrap interval of the median along the last axis; NaN where there is one trial only.

    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    """
    if values.shape[-1] < 2:
        unknown = np.full(values.shape[:-1], np.nan)
        return unknown, unknown.copy()
    return _bootstrap((values,), lambda sample, axis: np.median(sample, axis=axis))


def prediction_time_interval(vpt: Float[np.ndarray, "seed batch"]) -> Interval:
    """Median over seeds of the median over test states, with its interval.

    Test states are drawn anew, each with the values of all seeds, because a state that is hard for one seed is hard for
    all. The seeds are taken as they are, as strata: three of them say little about a fourth.
    """
    median = float(np.median(np.median(vpt, axis=1)))
    if vpt.shape[1] < 2:
        return Interval(median, np.nan, np.nan)

    def statistic(*seeds: np.ndarray, axis: int) -> np.ndarray:
        return np.median([np.median(seed, axis=axis) for seed in seeds], axis=0)

    low, high = _bootstrap(tuple(vpt), statistic, paired=True)
    return Interval(median, float(low), float(high))


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each system, learner and metric, in the order of the frame, from the long form of a run.

    Columns `median`, `low`, `high` (over the seeds that have a finite value), `n` (how many have), `failed` (seeds
    whose status is not ok) and `status` (of the first of those, or ok).
    """
    frame = frame.assign(value=frame["value"].where(np.isfinite(frame["value"])))
    frame["failure"] = frame["status"].where(frame["status"] != "ok")
    groups = frame.groupby(TRIAL, sort=False)
    table = groups.agg(
        median=("value", "median"), n=("value", "count"), failed=("failure", "count"), status=("failure", "first")
    )
    table["status"] = table["status"].fillna("ok")
    trials = frame.dropna(subset="value")
    trials = trials.assign(place=trials.groupby(TRIAL).cumcount()).pivot(index=TRIAL, columns="place", values="value")
    table[["low", "high"]] = np.nan
    for count, members in trials.groupby(trials.notna().sum(axis="columns")):
        ends = median_interval(members.to_numpy()[:, :count])
        table.loc[members.index, ["low", "high"]] = np.stack(ends, axis=-1)
    return table[["median", "low", "high", "n", "failed", "status"]].reset_index()


def ranks(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.DataFrame:
    """Rank of each of `learners` (rows) on each system (columns) by the median over seeds; 1 is best, ties share one.

    A failed trial without a value counts as worse than any value, and a learner whose median is such a trial has the
    worst rank that there is. NaN where a cell is missing.
    """
    chosen = rows(frame, metric=metric)
    losses = column(chosen, "value").where(column(chosen, "better") != "higher", -column(chosen, "value"))
    losses = losses.fillna(np.inf).groupby([chosen["learner"], chosen["system"]], sort=False).median()
    systems = list(dict.fromkeys(chosen["system"]))
    table = cast(pd.DataFrame, losses.unstack("system")).reindex(index=list(learners), columns=systems)
    return table.rank(axis="index").mask(np.isposinf(table), table.count(), axis="columns")


def mean_rank(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.Series:
    """Mean over systems of each learner's rank."""
    return ranks(frame, learners, metric).mean(axis="columns")


def rows(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """The rows that have these values in the columns of these names."""
    chosen = np.logical_and.reduce([np.asarray(frame[name] == value) for name, value in values.items()])
    return frame.loc[chosen]


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    return cast(pd.Series, frame[name])


def _bootstrap(
    samples: Sequence[np.ndarray], statistic: Callable[..., np.ndarray], paired: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    found = stats.bootstrap(
        tuple(samples),
        statistic,
        n_resamples=RESAMPLES,
        batch=200,  # bounds the memory
        vectorized=True,
        paired=paired,
        axis=-1,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return found.confidence_interval.low, found.confidence_interval.high
