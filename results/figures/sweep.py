"""The figure of a sweep: a score against the values of a field."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.figures.panels import Styles, by_learner, finish, panels_of
from results.figures.style import drawing, handles, present

WIDE = 10.0  # ratio of the largest value to the smallest one from which an axis is logarithmic


def sweep_figure(scores: pd.DataFrame, styles: Styles, across: str, up: str) -> Figure:
    """Draw medians with their intervals against the values of a field, a panel for each `system`.

    Args:
        scores: rows with `system`, `learner`, `at` (the value; None of a learner that has none: a level), `median`,
            `low` and `high` (NaN where there is no interval).
        across: what is written below.
        up: what is written on the left.
    """
    shown = present(styles, scores)
    values = list(dict.fromkeys(value for value in scores["at"] if value is not None))
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    places = {value: value if numbers else place for place, value in enumerate(values)}
    with drawing():
        figure, panels = panels_of(scores, legend=list(shown), share=True)
        for system, axes in panels.items():
            for style, curve in by_learner(scores, system, shown):
                if all(value is None for value in curve["at"]):
                    axes.axhline(curve["median"].iloc[0], **style.line)
                    continue
                x = np.array([places[value] for value in curve["at"]])
                y, low, high = (curve[name].to_numpy(dtype=float) for name in ("median", "low", "high"))
                order = np.argsort(x, kind="stable")
                axes.plot(x[order], y[order], **style.line)
                reach = np.nan_to_num(np.stack([y - low, high - y]))
                look: dict[str, Any] = {**style.point, "elinewidth": 0.8, "capsize": 1.5, "markersize": 3.5}
                axes.errorbar(x, y, reach, **look)
            axes.set_xlabel(across)
            _scale(axes, places, numbers)
        finish(figure, panels, up, handles(shown))
    return figure


def _scale(axes: Axes, places: dict[Any, Any], numbers: bool) -> None:
    """Make the horizontal axis linear or logarithmic, as numbers ask for, with the values as its ticks."""
    positive = [place for place in places.values() if place > 0]
    if numbers and positive and min(places.values()) >= 0 and max(positive) >= WIDE * min(positive):
        axes.set_xscale("symlog", linthresh=min(positive), linscale=0.5)  # which has a place for 0
    axes.minorticks_off()
    axes.set_xticks(list(places.values()), [f"{value:g}" if numbers else str(value) for value in places])
