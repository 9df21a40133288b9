"""The table of what learners have reached at equal cost: of updates, evaluations, seconds and parameters."""

from typing import cast

import numpy as np
import pandas as pd

from results.pareto import at_equal, at_equal_parameters, curves, points
from results.run import Run
from results.statistics import column, groups
from results.tables import LEADING, Column, Table, table_of

HEADS = {"update": "equal updates", "nfe": "equal NFE", "seconds": "equal time"}
CAPTION = (
    "What learners have reached when all have spent what the thriftiest one spends on the same system: the best "
    "validation loss by then, relative to that of the whole training (1: nothing is left to gain), since losses of "
    "different kinds of learners are of different quantities; medians over systems. Equal parameters: the longest "
    "prediction time of the learner's family with no more parameters than the largest of the smallest members, "
    "relative to the longest of all on the system."
)


def matched_table(run: Run, frame: pd.DataFrame) -> Table | None:
    """The compute-matched views of a run whose learners have learning curves; None of any other."""
    spent = curves(run)
    spent = spent.loc[spent["learner"].isin(run.compared)]
    trained = [learner for learner in run.compared if learner in set(spent["learner"])]
    if len(trained) < 2:
        return None
    columns, values = [], []
    for by, head in HEADS.items():
        if np.isfinite(column(spent, by)).all():
            columns.append(Column(f"loss_{by}", f"loss at {head}", better="lower"))
            values.append(_relative(spent, by))
    if LEADING in run.metrics and "parameters" in run.metrics:
        sizes = _at_equal_size(frame, trained)
        if len(sizes):
            columns.append(Column("vpt_parameters", "VPT at equal parameters", better="higher"))
            values.append(sizes)
    words = [pd.Series("—", index=trained) for _ in columns]
    mine = frame.loc[frame["learner"].isin(trained)]
    return table_of("matched", CAPTION, columns, values, words, mine, trained, ())


def _relative(spent: pd.DataFrame, by: str) -> pd.Series:
    """Loss at equal cost over that of the whole training, median over systems."""
    place = ["system", "learner"]
    reached = at_equal(spent, by).set_index(place)["loss"]
    whole = at_equal(spent, by, dict.fromkeys(spent["system"], np.inf)).set_index(place)["loss"]
    ratio = (reached / whole).replace(np.inf, np.nan).dropna()
    return cast(pd.Series, ratio.groupby("learner").median())


def _at_equal_size(frame: pd.DataFrame, learners: list[str]) -> pd.Series:
    """Prediction time at the size that every family can be had at, over the longest on the system; over systems."""
    table = points(frame.loc[frame["learner"].isin(learners)], LEADING, ("parameters",))
    table = table.assign(family=column(table, "learner").str.partition("[")[0])
    found = []
    for _, members in groups(table.dropna(subset="parameters"), "system"):
        smallest = cast(pd.Series, column(members, "parameters").groupby(members["family"]).min())
        size = float(smallest.max())
        within = at_equal_parameters(members.loc[members["parameters"] <= size])
        best = within.loc[within["parameters"] == within["parameters"].max()].set_index("family")["loss"]
        if np.isfinite(best).any() and best.min() < 0:
            share = (best / best.min()).replace([np.inf, -np.inf], np.nan)
            found.append(column(members, "family").map(share).set_axis(members["learner"]))
    return cast(pd.Series, pd.concat(found).groupby(level=0).median()) if found else pd.Series(dtype=float)
