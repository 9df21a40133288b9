"""Losses of trials, the smaller the better, and scores: logarithms of losses, whose differences are ratios."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from results.statistics.intervals import LEVEL
from results.statistics.trials import CELL, MEASURED, column, rows

GROUND_TRUTH = "TrueEquations"  # the reference learner whose value is the best one where `better` is "truth"
INDEPENDENT_TRUTH = "IndependentTruth"  # the one whose scores of long runs are what chance makes of the truth itself
MEASUREMENT = [*CELL, "seed", "metric"]
SHARES = (
    "vpt_capped", "unbounded_fraction", "fixed_point_fraction", "limit_cycle_fraction", "torus_fraction",
    "chaos_fraction", "undecided_fraction",
)  # fmt: skip
FLOORS = {  # values near or below are rounding, not results, and their ratios mean nothing
    "vpt": 0.02, "vpt_strict": 0.02, "smape": 0.1, "zero_one_k": 0.1, "roughness": 0.05,
    "nfe_forward": 1.0, "nfe_backward": 1.0, "nfe_forecast": 1.0, "parameters": 1.0,
    "saved_bytes": 1.0, "kept_bytes": 1.0,
    **dict.fromkeys(SHARES, 0.05),  # a few test cases
}  # fmt: skip
DEFAULT_FLOOR = 1e-4
PLACE = ["system", "metric"]


def losses(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row for each trial of a metric with its `loss`, the smaller the better, and whether it `failed`.

    A trial has failed where the model has, in training or in the horizon of this metric: its loss is infinite, whatever
    it measured before. Another horizon does not matter. A skipped trial has no row, and one whose value nothing defines
    has a loss of NaN. Of a metric that is best near the truth, the loss is the distance from the true equations' median
    value on the system, as far as it is told from that; NaN without them.
    """
    trials = drop_uncertainty_of_truth(rows(frame, metric=metric))
    trials = trials.loc[trials["status"] != "skipped"]
    failed = trials["status"] != "ok"
    loss = _loss(trials, ["system"]).mask(failed, np.inf)
    return trials.assign(loss=loss, failed=failed)[[*CELL, "seed", "loss", "failed"]]


def scores(frame: pd.DataFrame) -> pd.DataFrame:
    """The trials that have a value, with a `score` whose differences are log-ratios, greater where worse.

    asinh(value / floor) is log(2 value / floor) far above the floor, linear below it, and defined for any sign. Of a
    metric that is best near the truth, the value is the distance from that of the true equations in the same trial.
    """
    trials = frame.dropna(subset="value")
    trials = trials.loc[trials["status"] != "skipped"]
    floors = column(trials, "metric").map(FLOORS).astype(float).fillna(DEFAULT_FLOOR)
    loss = _loss(trials, ["system", "seed", "metric"])
    return trials.assign(score=np.arcsinh(loss / floors)).dropna(subset="score")


def drop_uncertainty_of_truth(frame: pd.DataFrame) -> pd.DataFrame:
    """The trials, with values as near the truth as they may be, of metrics that are best near it.

    Where nothing is published of a system, the truth is known by an estimate, that of the true equations, and the part
    of a distance from it is dropped that its 95 % interval leaves open. That is the estimate's own, which `attrs` have
    as "reach", or how independent true trajectories scatter, which tells it of most metrics of long runs.
    """
    ours = rows(frame, better="truth")
    ours = ours.loc[np.isnan(_published(ours))]
    reach: dict[Any, float] = dict(frame.attrs.get("reach", {}))
    others = rows(ours, learner=INDEPENDENT_TRUTH).dropna(subset="value")
    others = others.loc[others["metric"].isin(frame.attrs.get("long_run", []))]
    for where, values in others.groupby(PLACE)["value"]:
        if len(values) > 1:
            reach[where] = float(stats.t.ppf(1 - LEVEL / 2, len(values) - 1) * values.std())
    truth = rows(ours, learner=GROUND_TRUTH).groupby(PLACE)["value"].median()
    value = column(frame, "value").copy()
    for where, half in reach.items():
        if where in truth.index and half >= 0:
            here = ours.index[(ours["system"] == where[0]) & (ours["metric"] == where[1])]
            value[here] -= (value[here] - truth[where]).clip(-half, half)
    return frame.assign(value=value)


def paired_scores(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The measurements that both have, with `ratio`, the log-ratio of their values, greater where `after` is worse.

    Both are held to what `after` knows to be published.
    """
    before = before.copy(deep=False)
    before.attrs["published"] = after.attrs.get("published", {})
    one = scores(before)[[*MEASUREMENT, "better", "score"]]
    both = one.merge(scores(after)[[*MEASUREMENT, "score"]], on=MEASUREMENT, suffixes=("_before", "_after"))
    return both.assign(ratio=both["score_after"] - both["score_before"])


def noise_of_seeds(scored: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation of the scores of each system, learner and metric, `noise`; degrees of freedom, `repeats`."""
    by_cell = scored.groupby(MEASURED, sort=False)["score"]
    return pd.DataFrame({"noise": by_cell.std(), "repeats": by_cell.count() - 1}).fillna({"noise": 0.0})


def _loss(trials: pd.DataFrame, alike: list[str]) -> pd.Series:
    """What is the smaller the better: a value, a negated one, or its distance from the truth.

    That is what is published of the system, as `attrs` of the frame of a run say. Where nothing is, it is the median
    over all trials of the true equations that are `alike` in these columns.
    """
    value, better = column(trials, "value"), column(trials, "better")
    best = rows(trials, learner=GROUND_TRUTH).groupby(alike)["value"].median().to_frame("best")
    published, measured = _published(trials), trials.join(best, on=alike)["best"].to_numpy(dtype=float)
    distance = (value - np.where(np.isnan(published), measured, published)).abs()
    return value.where(better != "higher", -value).where(better != "truth", distance)


def _published(trials: pd.DataFrame) -> np.ndarray:
    """What is published of each trial's system and metric, as `attrs` of the frame of a run say, or NaN."""
    known: Mapping[str, Mapping[str, float]] = trials.attrs.get("published", {})
    values = {(system, metric): value for system, found in known.items() for metric, value in found.items()}
    table = pd.Series([*values.values()], pd.MultiIndex.from_tuples([*values], names=PLACE), dtype=float)
    return table.reindex(pd.MultiIndex.from_arrays([trials[name] for name in PLACE])).to_numpy()
