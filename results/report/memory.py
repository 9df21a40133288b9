"""The figure of memory against solver steps of a run that has learners of one class at several numbers of steps."""

from collections.abc import Iterator, Mapping

import pandas as pd

from results.figures.memory import MEASURES, memory_against_steps
from results.report.figure_data import FigureData, Picture
from results.statistics.trials import column, summary

STEPS = "nfe_forward"
FEWEST = 3  # numbers of steps that make a curve
RANGE = 2.0  # ratio of the most to the fewest steps that makes a curve


def memory_pictures(data: FigureData) -> Iterator[Picture]:
    """The figure of memory, where there is anything to draw."""
    kinds = {learner: component.kind for learner, component in data.run.learner_components.items()}
    points = memory_points(data.frame, kinds)
    if len(points):
        yield Picture(
            "memory_steps",
            "Memory against solver steps",
            "Memory of an update against the function evaluations of its forward pass, for each kind of learner that "
            "the run has at several numbers of steps: medians over seeds. What grows in proportion is parallel to the "
            "grey diagonal.",
            memory_against_steps(points),
        )


def memory_points(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Where a run holds some kind of learner at several numbers of solver steps: its memory at each; else no rows.

    Args:
        frame: the long form of a run.
        kinds: the class of each learner, by its label.

    Returns:
        Rows with `system`, `kind`, `measure`, `steps` (function evaluations of a forward pass) and `bytes`, medians
        over seeds, in the order of the steps.
    """
    totals = summary(frame)
    wide = totals.pivot_table(index=["system", "learner"], columns="metric", values="median", sort=False)
    if STEPS not in wide or not wide[STEPS].gt(0).to_numpy().any():
        return pd.DataFrame(columns=["system", "kind", "measure", "steps", "bytes"])
    wide = wide[wide[STEPS] > 0].reset_index()
    wide = wide.assign(kind=[kinds[label] for label in column(wide, "learner")])
    steps = wide.groupby(["system", "kind"])[STEPS]
    count, least, most = (pd.Series(steps.transform(name)) for name in ("nunique", "min", "max"))
    wide = wide[(count >= FEWEST) & (most >= RANGE * least)]
    measured = [measure for measure in MEASURES if measure in wide]
    points = wide.melt(["system", "kind", STEPS], measured, "measure", "bytes").dropna(subset=["bytes"])
    return points.rename(columns={STEPS: "steps"}).sort_values("steps", kind="stable", ignore_index=True)
