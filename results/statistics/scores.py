"""Scores of trials: logarithms of losses, whose differences are ratios."""

import numpy as np
import pandas as pd

from results.statistics.trials import column, of_truth

DEFAULT_FLOOR = 1e-4


FLOORS = {  # values near or below are rounding, not results, and their ratios mean nothing
    "vpt": 0.02, "vpt_strict": 0.02, "smape": 0.1, "zero_one_k": 0.1, "roughness": 0.05,
    "nfe_forward": 1.0, "nfe_backward": 1.0, "nfe_forecast": 1.0, "parameters": 1.0, "saved_bytes": 1.0,
}  # fmt: skip


def scores(frame: pd.DataFrame) -> pd.DataFrame:
    """The trials that have a value, with a `score` whose differences are log-ratios, greater where worse.

    asinh(value / floor) is log(2 value / floor) far above the floor, linear below it, and defined for any sign. Of a
    metric that is best near the truth, the value is the distance from that of the true equations in the same trial.
    """
    trials = frame.dropna(subset="value")
    trials = trials.loc[trials["status"] != "skipped"]
    better, value = column(trials, "better"), column(trials, "value")
    distance = (value - _true_values(trials)).abs()
    loss = value.where(better != "higher", -value).where(better != "truth", distance)
    floors = column(trials, "metric").map(FLOORS).astype(float).fillna(DEFAULT_FLOOR)
    return trials.assign(score=np.arcsinh(loss / floors)).dropna(subset="score")


def spread(scored: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation of the scores of each system, learner and metric, and its degrees of freedom."""
    groups = scored.groupby(["system", "learner", "metric"], sort=False)["score"]
    return pd.DataFrame({"noise": groups.std(), "repeats": groups.count() - 1}).fillna({"noise": 0.0})


def _true_values(trials: pd.DataFrame) -> np.ndarray:
    """The value of the true equations in the trial of the same system, seed and metric; NaN where there is none."""
    key = ["system", "seed", "metric"]
    truths = of_truth(trials).groupby(key)["value"].median().to_frame("truth")
    return trials.join(truths, on=key)["truth"].to_numpy(dtype=float)
