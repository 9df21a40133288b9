"""The figure of all trials taken together: interquartile means, and chances of improving upon the best."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from results.figures.style import NOTE, PAGE, Style, drawing
from results.formatting import brief

Styles = Mapping[str, Style]


def aggregate_figure(together: pd.DataFrame, styles: Styles) -> Figure:
    """Interquartile means beside the chance of improving upon the best, with 95 % intervals, a line a learner.

    `together` has the columns of `aggregates.aggregated`, the best first.
    """
    with drawing():
        figure = Figure(figsize=(PAGE, 0.87 + 0.17 * len(together)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for place, row in enumerate(together.to_dict("records")):
            style = styles[str(row["learner"])]
            _interval(left, place, row["mean"], row["low"], row["high"], style)
            _interval(right, place, row["chance"], row["chance_low"], row["chance_high"], style)
        left.set_yticks(range(len(together)), [brief(str(learner)) for learner in together["learner"]])
        left.set(ylim=(len(together) - 0.5, -0.5), xlabel="interquartile mean of\nVPT / longest", xlim=(0, None))
        right.set(xlabel="chance of predicting longer\nthan the topmost", xlim=(-0.03, 1.03))
        right.axvline(0.5, color=NOTE, linewidth=0.6, zorder=1)
        for axes in (left, right):
            axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
            axes.tick_params(axis="y", length=0)
            axes.grid(axis="y", color="0.92", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
    return figure


def _interval(axes: Axes, place: int, value: float, low: float, high: float, style: Style) -> None:
    if np.isnan(value):
        return
    axes.plot(value, place, **(style.point | {"markersize": 3.4, "zorder": 4}))
    if np.isfinite([low, high]).all():
        axes.plot([low, high], [place, place], color="black", linewidth=0.8, marker="|", markersize=5, zorder=5)
