"""Figures of continuous depth: numerical error, time, backward pass and memory against evaluations."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from results.figures.performance import Styles, finish, panels_of
from results.figures.style import NOTE, Style, drawing, handles, present
from results.statistics.trials import column, rows


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
            _each(sweep, system, shown, lambda points, style, axes=axes: _relation(axes, points, style, relation))
            axes.set(xlabel=relation.labels[0], xscale=relation.scales[0], yscale=relation.scales[1])
            if relation.scales[0] == "log":
                _plain_ticks(axes.xaxis)
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
            _each(curves, system, shown, lambda points, style, axes=axes: _history(axes, points, style))
            axes.set(xlabel="updates", xlim=(0, None), ylim=(0, None))
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        finish(figure, panels, "NFE forward", handles(shown))
    return figure


def _each(frame: pd.DataFrame, system: str, styles: Styles, draw: Callable[[pd.DataFrame, Style], None]) -> None:
    for learner, style in styles.items():
        points = rows(frame, system=system, learner=learner)
        if len(points):
            draw(points, style)


def _relation(axes: Axes, points: pd.DataFrame, style: Style, relation: Relation) -> None:
    faint = style.point | {"markersize": 2.5, "alpha": 0.35, "markeredgewidth": 0}
    axes.plot(points[relation.x], points[relation.y], **faint)
    middle = [
        column(points, name).groupby(points["tolerance"]).median().to_numpy() for name in (relation.x, relation.y)
    ]
    axes.plot(*middle, **style.line | {"marker": style.marker, "markersize": 4})


def _history(axes: Axes, points: pd.DataFrame, style: Style) -> None:
    groups = column(points, "nfe_forward").groupby(points["update"])
    low, high = (np.asarray(groups.agg(end)) for end in ("min", "max"))
    updates = np.unique(points["update"])
    axes.plot(updates, groups.median(), **style.line)
    axes.fill_between(updates, low, high, color=style.colour, alpha=0.12, linewidth=0)


def _guide(axes: Axes, text: str, slope: float) -> None:
    """A thin line through the origin, named where it leaves the panel."""
    x = min(axes.get_xlim()[1], axes.get_ylim()[1] / slope)
    axes.plot([0, x], [0, slope * x], color=NOTE, linewidth=0.6, zorder=1)
    axes.text(0.99 * x, 0.99 * slope * x, f"{text} ", fontsize=5.5, color=NOTE, ha="right", va="bottom")


def _plain_ticks(axis: Axis) -> None:
    """Numbers instead of powers of ten, on a logarithmic axis that is short."""
    axis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())
