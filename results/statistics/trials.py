"""Trials of a run, by system, learner, metric and seed."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from results.statistics.intervals import median_interval

TRIAL = ["system", "learner", "metric"]


TRUTH = "TrueEquations"  # the reference row whose value is the best one of a metric that is better near the "truth"


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each system, learner and metric, in the order of the frame, from the long form of a run.

    Columns `median`, `low`, `high` (over the seeds that have a finite value; no interval of fewer than six), `n` (how
    many have), `failed` (seeds whose status is not ok) and `status` (of the first of those, or ok).
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


def losses(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row for each trial of a metric with its `loss`, the smaller the better, and whether it `failed`.

    A trial that diverged or failed has an infinite loss, whatever it measured before; a skipped one has no row. Of a
    metric that is best near the truth, the loss is the distance from the true equations' value, NaN without them.
    """
    trials = rows(frame, metric=metric)
    trials = trials.loc[trials["status"] != "skipped"]
    value, better = column(trials, "value"), column(trials, "better")
    loss = value.where(better != "higher", -value).where(better != "truth", (value - _truths(trials)).abs())
    failed = (trials["status"] != "ok") | (value.isna() & (better != "truth"))
    return trials.assign(loss=loss.mask(failed, np.inf), failed=failed)[["system", "learner", "seed", "loss", "failed"]]


def ranks(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.DataFrame:
    """Rank of each of `learners` (rows) on each system (columns) by the median over seeds; 1 is best, ties share one.

    A trial that diverged or failed counts as worse than any value, and a learner whose median is such a trial has the
    worst rank that there is. NaN where a cell is missing or was skipped.
    """
    systems = list(dict.fromkeys(rows(frame, metric=metric)["system"]))
    medians = losses(frame, metric).groupby(["learner", "system"], sort=False)["loss"].median()
    table = cast(pd.DataFrame, medians.unstack("system")).reindex(index=list(learners), columns=systems)
    return table.rank(axis="index").mask(np.isposinf(table), table.count(), axis="columns")


def mean_rank(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.Series:
    """Mean over systems of each learner's rank."""
    return ranks(frame, learners, metric).mean(axis="columns")


def rows(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """The rows that have these values in the columns of these names."""
    chosen = np.logical_and.reduce([np.asarray(frame[name] == value) for name, value in values.items()])
    return frame.loc[chosen]


def groups(frame: pd.DataFrame, *names: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """The rows of each combination of values of these columns, in the order of the frame."""
    for place, members in frame.groupby(list(names), sort=False):
        yield cast(tuple[str, ...], place), members


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    return cast(pd.Series, frame[name])


def of_truth(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of the true equations themselves."""
    labels = [label for label in trials["learner"].unique() if str(label).split("[")[0] == TRUTH]
    return trials.loc[column(trials, "learner").isin(labels)]


def _truths(trials: pd.DataFrame) -> np.ndarray:
    """The median value of the true equations on the system of each trial."""
    references = of_truth(trials)
    return (
        column(trials, "system")
        .map(column(references, "value").groupby(references["system"]).median())
        .to_numpy(dtype=float)
    )
