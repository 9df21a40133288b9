"""Figures of timings: what an update consists of, and how it grows."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from results.figures.panels import few_ticks
from results.figures.style import NOTE, PAGE, Style, drawing, handles, legend_below, legend_height, styles
from results.timing.timings import Timings, measurements, median

PARTS = {"forward": "0.8", "backward": "0.5", "descent": "0.2"}
AXES = {
    "batch": "segments or images in an update",
    "width": "hidden units or feature maps",
    "blocks": "residual blocks",
    "lookahead": "lookahead",
    "seeds": "stacked seeds",
}


def figures(found: Timings) -> dict[str, Figure]:
    """The figures that there are data for, by their file names."""
    drawn = (
        {"update_times": update_times(found)} if any(True for _ in measurements(found, axis="", part="update")) else {}
    )
    return drawn | ({"scaling": scaling(found)} if _look(found) else {})


def update_times(found: Timings) -> Figure:
    """A bar for each learner, variant and precision: the parts of an update, and its whole with the quartiles."""
    wholes = sorted(
        measurements(found, axis="", part="update"), key=lambda one: found["learners"].index(one["learner"])
    )
    with drawing():
        figure = Figure(figsize=(PAGE, 0.75 + 0.19 * len(wholes)), layout="constrained")
        axes = figure.subplots()
        for place, whole in enumerate(wholes):
            _bar(axes, found, place, whole)
        variants = [
            whole["variant"] + ("" if whole["precision"] == "float32" else f", {whole['precision']}")
            for whole in wholes
        ]
        names = [f"{whole['learner']}, {variant}" for whole, variant in zip(wholes, variants, strict=True)]
        axes.set_yticks(range(len(wholes)), names)
        axes.set(xlabel="time of an update (ms)", ylim=(len(wholes) - 0.4, -0.6))
        axes.set_xlim(0, 1e3 * max(np.quantile(whole["times"], 0.75) for whole in wholes) * 1.08)
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right"]].set_visible(False)
        shown = [Patch(facecolor=shade, label=part) for part, shade in PARTS.items()]
        axes.legend(handles=shown, loc="best")
    return figure


def scaling(found: Timings) -> Figure:
    """Time of an update against the batch, the width, the lookahead and the number of seeds, a line a learner."""
    look = _look(found)
    with drawing():
        there = [axis for axis in AXES if any(_grown(found, name, axis) for name in look)]
        columns = min(2, len(there))
        lines = -(-len(there) // columns)
        width = PAGE * min(1, 0.55 * columns)
        size = (width, 2.1 * lines + 0.1 + legend_height(list(look), width))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for axes in grid.flat[len(there) :]:
            axes.set_axis_off()
        for axes, axis in zip(grid.flat, there, strict=False):
            _growth(axes, found, axis, look)
        for axes in grid[:, 0]:
            axes.set_ylabel("update (ms)")
        legend_below(figure, handles(look))
    return figure


def _bar(axes: Axes, found: Timings, place: int, whole: Mapping[str, Any]) -> None:
    where = {name: whole[name] for name in ("learner", "variant", "precision")}
    begin, total = 0.0, 1e3 * median(whole["times"])
    axes.barh(place, total, 0.7, facecolor="none", edgecolor=NOTE, linewidth=0.7)  # of a graph, all that there is
    for part, shade in PARTS.items():
        for entry in measurements(found, axis="", part=part, **where):
            width = 1e3 * median(entry["times"])
            axes.barh(place, width, 0.7, begin, color=shade, linewidth=0)
            begin += width
    low, high = 1e3 * np.quantile(whole["times"], [0.25, 0.75])
    axes.errorbar(total, place, xerr=[[total - low], [high - total]], color="black", marker="|", linewidth=0.9)


def _look(found: Timings) -> dict[str, Style]:
    """The look of those learners whose growth there is something to see of."""
    every = styles(found["learners"], ()).items()
    return {name: style for name, style in every if any(_grown(found, name, axis) for axis in AXES)}


def _grown(found: Timings, learner: str, axis: str) -> list[tuple[int, float]]:
    """Values along an axis with milliseconds; none where there are fewer than two, which show no growth."""
    points = [(one["value"], 1e3 * median(one["times"])) for one in measurements(found, axis=axis, learner=learner)]
    return sorted(points) if len(points) > 1 else []


def _growth(axes: Axes, found: Timings, axis: str, look: Mapping[str, Style]) -> None:
    values: set[int] = set()
    for learner, style in look.items():
        if points := _grown(found, learner, axis):
            axes.plot(*zip(*points, strict=True), **style.line, marker=style.marker, markersize=3)
            values |= {value for value, _ in points}
    axes.set(xscale="log", yscale="log", xlabel=AXES[axis])
    few_ticks(axes)
    labelled: list[int] = []  # those that have room for a label each
    for value in sorted(values):
        if not labelled or value >= 1.4 * labelled[-1]:
            labelled.append(value)
    axes.xaxis.set_major_locator(FixedLocator(labelled))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.grid(visible=True, color=NOTE, alpha=0.15, linewidth=mpl.rcParams["axes.linewidth"])
    axes.spines[["top", "right"]].set_visible(False)
