"""The trials of a run in long form: choosing among them, and summing up each cell's."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pandas as pd

from results.statistics.intervals import median_interval

CELL = ["system", "learner"]
MEASURED = [*CELL, "metric"]  # what the seeds of a cell have in common
ALL_SYSTEMS = "all systems"  # in place of the name of one


def rows(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """The rows that have these values in the columns of these names."""
    chosen = np.logical_and.reduce([np.asarray(frame[name] == value) for name, value in values.items()])
    return frame.loc[chosen]


def groups(frame: pd.DataFrame, *names: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """The rows of each combination of values of these columns, in the order of the frame."""
    for place, members in frame.groupby(list(names), sort=False):
        yield cast(tuple[str, ...], place), members


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """One column of a frame, typed as such."""
    return cast(pd.Series, frame[name])


def endings(frame: pd.DataFrame) -> pd.DataFrame:
    """One row of each trial, whose `status` is that of the trial: ok where any of its metrics is, else the first."""
    failed = frame["status"].to_numpy() != "ok"
    return frame.iloc[np.argsort(failed, kind="stable")].drop_duplicates([*CELL, "seed"]).sort_index(kind="stable")


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each system, learner and metric, in the order of the frame, from the long form of a run.

    Columns `median`, `low`, `high` (over the seeds that have a finite value; no interval of fewer than six), `n` (how
    many have), `failed` (seeds whose status is not ok for this metric) and `status` (of the first of those, or ok).
    """
    frame = frame.assign(value=frame["value"].where(np.isfinite(frame["value"])))
    frame["failure"] = frame["status"].where(frame["status"] != "ok")
    table = frame.groupby(MEASURED, sort=False).agg(
        median=("value", "median"), n=("value", "count"), failed=("failure", "count"), status=("failure", "first")
    )
    table["status"] = table["status"].fillna("ok")
    trials = frame.dropna(subset="value")
    trials = trials.assign(place=trials.groupby(MEASURED).cumcount()).pivot(
        index=MEASURED, columns="place", values="value"
    )
    table[["low", "high"]] = np.nan
    for count, members in trials.groupby(trials.notna().sum(axis="columns")):
        ends = median_interval(members.to_numpy()[:, :count])
        table.loc[members.index, ["low", "high"]] = np.stack(ends, axis=-1)
    return table[["median", "low", "high", "n", "failed", "status"]].reset_index()
