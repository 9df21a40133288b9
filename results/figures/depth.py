"""Figures of continuous depth: numerical error, time, backward pass and memory against evaluations."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.figures.panels import Styles, by_learner, few_ticks, finish, over_seeds, panels_of
from results.figures.style import NOTE, Style, drawing, handles, present
from results.statistics.trials import column


class Relation(NamedTuple):
    """How two columns of a sweep are drawn against each other."""

    x: str
    y: str
    labels: tuple[str, str]
    scales: tuple[str, str] = ("linear", "linear")
    guides: Mapping[str, float] = {}  # lines y = slope x, by what is written beside them


ERROR = Relation("nfe_forward", "error", ("NFE forward", "numerical error (relative)"), ("log", "log"))
TIME = Relation("nfe_forward", "milliseconds", ("NFE forward", "time of a forward pass (ms)"))
BACKWARD = Relation(
    "nfe_forward", "nfe_backward", ("NFE forward", "NFE backward"), guides={"as many": 1.0, "half as many": 0.5}
)
MEMORY = Relation("nfe_forward", "mebibytes", ("NFE forward", "saved for the backward pass (MiB)"))


def sweep_figure(sweep: pd.DataFrame, styles: Styles, relation: Relation) -> Figure:
    """One quantity against another over tolerances: medians over seeds, with every seed as a faint point.

    `sweep` has a row for each system, learner, seed and tolerance, with the columns that the relation names.
    """
    shown = present(styles, sweep)
    with drawing():
        figure, panels = panels_of(sweep, legend=list(shown), height=2.2)
        for system, axes in panels.items():
            for style, points in by_learner(sweep, system, shown):
                _relation(axes, points, style, relation)
            axes.set(xlabel=relation.labels[0], xscale=relation.scales[0], yscale=relation.scales[1])
            few_ticks(axes)
            if relation.scales == ("linear", "linear"):
                axes.set(xlim=(0, None), ylim=(0, None))
            for text, slope in relation.guides.items():
                _guide(axes, text, slope)
        finish(figure, panels, relation.labels[1], handles(shown, markers=True))
    return figure


def evaluations_in_training(curves: pd.DataFrame, styles: Styles) -> Figure:
    """Forward evaluations of an update while training: median over seeds, between the fewest and the most.

    `curves` has a row for each system, learner, seed and point of the learning curve, with `update` and `nfe_forward`.
    """
    shown = present(styles, curves)
    with drawing():
        figure, panels = panels_of(curves, legend=list(shown), height=2.2)
        for system, axes in panels.items():
            for style, points in by_learner(curves, system, shown):
                over_seeds(axes, points, "update", "nfe_forward", style)
            axes.set(xlabel="updates", xlim=(0, None), ylim=(0, None))
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        finish(figure, panels, "NFE forward", handles(shown))
    return figure


def _relation(axes: Axes, points: pd.DataFrame, style: Style, relation: Relation) -> None:
    faint = style.point | {"markersize": 2.5, "alpha": 0.35, "markeredgewidth": 0}
    axes.plot(points[relation.x], points[relation.y], **faint)
    middle = [
        column(points, name).groupby(points["tolerance"]).median().to_numpy() for name in (relation.x, relation.y)
    ]
    axes.plot(*middle, **style.line | {"marker": style.marker, "markersize": 4})


def _guide(axes: Axes, text: str, slope: float) -> None:
    """A thin line through the origin, named where it leaves the panel."""
    x = min(axes.get_xlim()[1], axes.get_ylim()[1] / slope)
    axes.plot([0, x], [0, slope * x], color=NOTE, linewidth=0.6, zorder=1)
    axes.text(0.99 * x, 0.99 * slope * x, f"{text} ", fontsize=5.5, color=NOTE, ha="right", va="bottom")
