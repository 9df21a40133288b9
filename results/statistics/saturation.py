"""Systems on which every learner predicts up to the horizon: prediction times tell nothing there."""

from collections.abc import Sequence

import pandas as pd

from results.formatting import heading, listed
from results.statistics.trials import CELL, column, rows
from results.store.manifest import CAPPED, ERROR


def saturated(frame: pd.DataFrame, learners: Sequence[str]) -> list[str]:
    """The systems on which the median prediction time of each of these learners is at the horizon: it tells nothing.

    Told by the share of test states whose forecasts last that long; none where the run has not measured that.
    """
    trials = rows(frame, metric=CAPPED)
    trials = trials.loc[trials["learner"].isin(list(learners)) & (trials["status"] != "skipped")]
    share = column(trials, "value").where(trials["status"] == "ok", 0.0)
    medians = trials.assign(share=share).groupby(CELL, sort=False)["share"].median()
    return [str(system) for system, worst in medians.groupby("system", sort=False).min().items() if worst > 0.5]


def saturation_note(frame: pd.DataFrame, learners: Sequence[str]) -> str:
    """On which systems ranks are not by prediction time, and by what instead; empty where there is none."""
    systems = saturated(frame, learners)
    if not systems:
        return ""
    instead = f"ranked there by {heading(ERROR)}" if len(rows(frame, metric=ERROR)) else "left out of ranks"
    return f"On {listed(systems)} the median VPT of every compared learner is the horizon: {instead}."
