"""Memory against solver steps: the points of the figure."""

import pandas as pd

from results.figures.memory import FEWEST, MEASURES, STEPS, _spans
from results.statistics.trials import summary


def memory_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Where a run holds some kind of learner at several numbers of solver steps: its memory at each; else no rows.

    `frame` is the long form of a run. Rows have `system`, `kind` (a learner without its settings), `measure`, `steps`
    (function evaluations of a forward pass) and `bytes`, medians over seeds, in the order of the steps.
    """
    totals = summary(frame)
    wide = totals.pivot_table(index=["system", "learner"], columns="metric", values="median", sort=False)
    if STEPS not in wide or not wide[STEPS].gt(0).to_numpy().any():
        return pd.DataFrame(columns=["system", "kind", "measure", "steps", "bytes"])
    wide = wide[wide[STEPS] > 0].reset_index()
    wide = wide.assign(kind=wide["learner"].str.partition("[")[0])
    spread = wide.groupby(["system", "kind"])[STEPS].agg(lambda steps: len(set(steps)) >= FEWEST and _spans(steps))
    wide = wide[[bool(spread[system, kind]) for system, kind in zip(wide["system"], wide["kind"], strict=True)]]
    known = [measure for measure in MEASURES if measure in wide]
    points = wide.melt(["system", "kind", STEPS], known, "measure", "bytes").dropna(subset=["bytes"])
    return points.rename(columns={STEPS: "steps"}).sort_values("steps", kind="stable", ignore_index=True)
