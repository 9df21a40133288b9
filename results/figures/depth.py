"""Figures of continuous depth: numerical error, time, backward pass and memory against evaluations."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.figures.panels import Styles, by_learner, few_ticks, finish, over_seeds, panels_of
from results.figures.style import NOTE, drawing, handles, present, styles
from results.statistics.trials import rows


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
MEASURES = {"saved_bytes": "saved for the backward pass", "peak_bytes": "highest memory of the fit"}
MEGABYTE = 1e6


def sweep_figure(sweep: pd.DataFrame, styles: Styles, relation: Relation) -> Figure:
    """One quantity against another over tolerances: medians over seeds, with every seed as a faint point.

    `sweep` has a row for each system, learner, seed and tolerance, with the columns that the relation names.
    """
    shown = present(styles, sweep)
    with drawing():
        figure, panels = panels_of(sweep, legend=list(shown), height=2.2)
        for system, axes in panels.items():
            for style, points in by_learner(sweep, system, shown):
                faint = style.point | {"markersize": 2.5, "alpha": 0.35, "markeredgewidth": 0}
                axes.plot(points[relation.x], points[relation.y], **faint)
                middle = points.groupby("tolerance")[[relation.x, relation.y]].median()
                axes.plot(*middle.to_numpy().T, **style.line | {"marker": style.marker, "markersize": 4})
            axes.set(xlabel=relation.labels[0], xscale=relation.scales[0], yscale=relation.scales[1])
            few_ticks(axes)
            if relation.scales == ("linear", "linear"):
                axes.set(xlim=(0, None), ylim=(0, None))
            for text, slope in relation.guides.items():
                x = min(axes.get_xlim()[1], axes.get_ylim()[1] / slope)  # where the line leaves the panel
                axes.plot([0, x], [0, slope * x], color=NOTE, linewidth=0.6, zorder=1)
                look: dict[str, Any] = {"fontsize": 5.5, "color": NOTE, "ha": "right", "va": "bottom"}
                axes.text(0.99 * x, 0.99 * slope * x, f"{text} ", **look)
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


def memory_against_steps(points: pd.DataFrame) -> Figure:
    """A panel for each system and kind of memory, a line for each kind of learner, over the evaluations of an update.

    `points` are those of `memory_points`. Dots are proportion, through the highest point. The memory of a fit on a CPU
    is that above what its process held before, and includes what a process loads once, with its first fit.
    """
    looks = styles(list(dict.fromkeys(points.sort_values("kind")["kind"])), [])
    with drawing():
        titled = points.assign(system=points["system"] + ": " + points["measure"].replace(MEASURES))
        titled = titled.sort_values("measure", ascending=False, kind="stable")
        figure, panels = panels_of(titled, legend=list(looks), height=2.1)
        for title, axes in panels.items():
            here = rows(titled, system=title)
            for kind, look in looks.items():
                line = rows(here, kind=kind)
                axes.plot(line["steps"], line["bytes"] / MEGABYTE, **look.point | {"linestyle": "-", "linewidth": 1.3})
            if MEASURES["saved_bytes"] in title:
                highest = here.loc[here["bytes"].idxmax()]
                steps = np.array([here["steps"].min(), highest["steps"]])
                proportion = steps * (highest["bytes"] / highest["steps"] / MEGABYTE)
                axes.plot(steps, proportion, ":", color=NOTE, linewidth=0.8, zorder=1)
            axes.set(xscale="log", yscale="log", xlabel="function evaluations of a forward pass")
            few_ticks(axes)
        finish(figure, panels, "MB", handles(looks, markers=True))
    return figure
