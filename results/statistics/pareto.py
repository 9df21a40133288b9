"""Accuracy against cost: the same results at equal cost, and the learners that nothing else beats in everything."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from results.statistics.scores import losses
from results.statistics.trials import CELL, column, rows, summary
from results.store.run import Run

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
    totals = summary(frame)
    table = losses(frame, metric).groupby(CELL, sort=False).agg(loss=("loss", "median"), failed=("failed", "sum"))
    table["value"] = rows(totals, metric=metric).set_index(CELL)["median"].where(np.isfinite(table["loss"]))
    for cost in costs:
        table[cost] = rows(totals, metric=cost).set_index(CELL)["median"]
    return table.reset_index()


def front(costs: np.ndarray) -> np.ndarray:
    """Which rows of `costs [point, axis]` no other row equals or beats on every axis and beats on one; all to be small.

    A row with a value that is not finite is on no front.
    """
    usable = np.asarray(np.isfinite(costs).all(axis=1))
    one, other = costs[:, None, :], costs[None, :, :]
    beaten = ((other <= one).all(axis=2) & (other < one).any(axis=2) & usable[None, :]).any(axis=1)
    return usable & ~beaten


def curves(run: Run) -> pd.DataFrame:
    """The learning curves of all cells: `system`, `learner`, `seed`, `valid_loss`, `valid_vpt`, and what points cost.

    `nfe` sums the evaluations of both passes over all updates so far; `parameters` and `learner_class` are those of the
    learner.
    """
    trial = [*CELL, "seed"]
    table = run.curves()
    updates = table.groupby(trial)["update"].diff().fillna(table["update"])  # since the point before
    evaluations = (column(table, "nfe_forward") + column(table, "nfe_backward")) * updates
    table = table.assign(nfe=evaluations.groupby([table[name] for name in trial]).cumsum())
    table = table.loc[:, [*trial, *SPENT, "valid_loss", "valid_vpt"]]
    sizes = column(rows(summary(run.frame()), metric="parameters").set_index(CELL), "median")
    classes = {label: component.kind for label, component in run.learner_components.items()}
    return table.join(sizes.rename("parameters"), on=CELL).assign(
        learner_class=[classes[label] for label in column(table, "learner")]
    )


def budgets(curves: pd.DataFrame, by: str) -> dict[str, float]:
    """What all can have spent on each system: as much as the thriftiest learner whose fit is made of updates.

    Of parameters, the largest number of those with which the smallest member of each family makes do.
    """
    if by not in (*SPENT, "parameters"):
        raise ValueError(f"curves are compared at equal {', '.join(SPENT)} or parameters, but not {by!r}")
    trained = curves.loc[curves["valid_loss"].notna()]
    if by == "parameters":
        least = trained.groupby(["system", "learner_class"])[by].min()
        return least.groupby("system").max().to_dict()
    return trained.groupby(CELL)[by].max().groupby("system").min().to_dict()


def at_equal(curves: pd.DataFrame, by: str, budget: Mapping[str, float] | None = None) -> pd.DataFrame:
    """What each trial has reached when all have spent the same: `vpt` at its last stage that cost no more.

    `by` is "update", "nfe", "seconds" or "parameters", and the budget of a system that of `budgets`, unless one is
    given. The time is NaN where even the first stage cost more, or none was measured; `stages` counts the latter.
    """
    limits = column(curves, "system").map(budget or budgets(curves, by))
    affordable = column(curves, by) <= limits * (1 + 1e-9)
    told = curves.assign(vpt=column(curves, "valid_vpt").where(affordable), budget=limits)
    trials = told.sort_values("update", kind="stable").groupby([*CELL, "seed"], sort=False)
    return trials.agg(vpt=("vpt", "last"), stages=("valid_vpt", "count"), budget=("budget", "first")).reset_index()
