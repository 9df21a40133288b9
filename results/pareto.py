"""Accuracy against cost: the same results at equal cost, and the learners that nothing else beats in everything."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from results.run import Run
from results.statistics import column, losses, rows, summary

COSTS = {  # that accuracy is set against, and how they are called
    "nfe_forecast": "NFE of a timescale",
    "saved_bytes": "memory of an update (B)",
    "fit_seconds": "training time (s)",
    "parameters": "learned numbers",
}
SPENT = {"update": "updates", "nfe": "NFE", "seconds": "seconds"}  # what a learning curve spends


def points(frame: pd.DataFrame, metric: str, costs: Sequence[str] = tuple(COSTS)) -> pd.DataFrame:
    """A row for each system and learner: medians over seeds of the `loss` by a metric, its `value`, and of the costs.

    `failed` counts the trials that did; where half of them have, the loss is infinite and the value not a number.
    """
    trials, totals, key = losses(frame, metric), summary(frame), ["system", "learner"]
    table = trials.groupby(key, sort=False).agg(loss=("loss", "median"), failed=("failed", "sum"))
    table["value"] = rows(totals, metric=metric).set_index(key)["median"].where(np.isfinite(table["loss"]))
    for cost in costs:
        table[cost] = rows(totals, metric=cost).set_index(key)["median"]
    return table.reset_index()


def front(costs: np.ndarray) -> np.ndarray:
    """Which rows of `costs [point, axis]` no other row equals or beats on every axis and beats on one; all to be small.

    A row with a value that is not finite is on no front.
    """
    usable = np.asarray(np.isfinite(costs).all(axis=1))
    one, other = costs[:, None, :], costs[None, :, :]
    beaten = ((other <= one).all(axis=2) & (other < one).any(axis=2) & usable[None, :]).any(axis=1)
    return usable & ~beaten


def fronts(table: pd.DataFrame, costs: Sequence[str]) -> pd.DataFrame:
    """`points` with a column `front`: who is on the front of its system in the loss and all these costs together."""
    marked = table.assign(front=False)
    for _, members in table.groupby("system", sort=False):
        marked.loc[members.index, "front"] = front(members[["loss", *costs]].to_numpy(dtype=float))
    return marked


def curves(run: Run) -> pd.DataFrame:
    """The learning curves of all cells: `system`, `learner`, `seed`, `valid_loss`, and what was spent by then.

    `nfe` sums the evaluations of both passes over all updates so far.
    """
    found = []
    for cell in run.finished:
        curve = run.store.curve(cell.key)
        if len(curve):
            found.append(_spent(curve).assign(system=cell.system, learner=cell.learner))
    columns = ["system", "learner", "seed", *SPENT, "valid_loss"]
    return pd.concat(found or [pd.DataFrame()], ignore_index=True).reindex(columns=columns)


def at_equal(curves: pd.DataFrame, by: str, budget: Mapping[str, float] | None = None) -> pd.DataFrame:
    """What each learner has reached on each system when all have spent the same: `loss`, medians over seeds.

    `by` is "update", "nfe" or "seconds". The budget of a system is what its thriftiest learner spent in all, unless
    `budget` gives another. The loss is the best validation loss up to then, infinite where the first point comes later.
    """
    if by not in SPENT:
        raise ValueError(f"curves are compared at equal {', '.join(SPENT)}, but not {by!r}")
    trials, cells = ["system", "learner", "seed"], ["system", "learner"]
    ends = cast(pd.Series, column(curves, by).groupby([curves[name] for name in trials], sort=False).max())
    spent = budget or cast(pd.Series, ends.groupby(cells).median().groupby("system").min()).to_dict()
    limits = column(curves, "system").map(spent)
    reached = column(curves, "valid_loss").where(column(curves, by) <= limits * (1 + 1e-9)).fillna(np.inf)
    best = cast(pd.Series, reached.groupby([curves[name] for name in trials], sort=False).min())
    table = pd.DataFrame({"loss": best.groupby(cells, sort=False).median()}).reset_index()
    return table.assign(budget=column(table, "system").map(spent))


def at_equal_parameters(table: pd.DataFrame, families: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The least loss of each family of learners with no more parameters than each size that occurs: as `points`.

    `families` maps learners to families; without it, a family is what stands before the brackets of a label. Columns
    `system`, `family`, `parameters`, `loss` and the `learner` that reaches it.
    """
    found = []
    for system, members in table.groupby("system", sort=False):
        names = members["learner"].map(lambda label: (families or {}).get(label, label.split("[")[0]))
        for size in sorted(set(members["parameters"].dropna())):
            for family, group in members.loc[members["parameters"] <= size].groupby(names, sort=False):
                best = group.loc[group["loss"].idxmin()]
                row = {"system": system, "family": family, "parameters": size}
                found.append(row | {"loss": best["loss"], "learner": best["learner"]})
    return pd.DataFrame(found, columns=["system", "family", "parameters", "loss", "learner"])


def _spent(curve: pd.DataFrame) -> pd.DataFrame:
    """The curve with `nfe`: evaluations of one update, times the updates since the point before, summed."""
    updates = curve.groupby("seed")["update"].diff().fillna(curve["update"])
    evaluations = (column(curve, "nfe_forward") + column(curve, "nfe_backward")) * updates
    return curve.assign(nfe=evaluations.groupby(curve["seed"]).cumsum())
