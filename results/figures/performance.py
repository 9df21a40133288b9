"""Figures of performance: error growth, prediction times, learning curves, cost against accuracy; a panel a system."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from results.figures.style import (
    LINE,
    NOTE,
    PAGE,
    Style,
    drawing,
    entry_width,
    handles,
    legend_below,
    legend_height,
    present,
)
from results.formatting import brief
from results.statistics.trials import rows

THRESHOLDS = (0.5, 0.05)  # of the two prediction times, in standard deviations
FLOOR, CEILING = 1e-4, 5.0  # of the error axis
SAMPLES = 200  # of each drawn error curve, at least
Styles = Mapping[str, Style]


def error_growth(growth: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """NRMSE over time: medians over test states, with the band between the quartiles for the compared learners.

    `growth` has a row for each system, learner and time, with `time` (in timescales), `low`, `median` and `high`,
    infinite after a divergence. `timescales` names the unit of time of each system.
    """
    with drawing():
        figure, panels = panels_of(growth, legend=list(styles), share=True)
        for system, axes in panels.items():
            for learner, curve in _curves(growth, system, styles):
                _growth(axes, curve, styles[learner])
            for threshold in THRESHOLDS:
                axes.axhline(threshold, color=NOTE, linewidth=0.5, zorder=1)
                axes.annotate(
                    f"{threshold}",
                    (1, threshold),
                    (2, 0),
                    axes.get_yaxis_transform(),
                    "offset points",
                    fontsize=5.5,
                    color=NOTE,
                    va="center",
                )
            axes.set(yscale="log", ylim=(FLOOR, CEILING), xlabel=f"time ({timescales[system]}s)")
            axes.yaxis.set_minor_locator(NullLocator())
            axes.set_xlim(0, float(np.max(rows(growth, system=system)["time"])))
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
        finish(figure, panels, "NRMSE", handles(styles))
    return figure


def prediction_times(times: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """Valid prediction time by learner, as bars with 95 % intervals; reference rows are grey and hatched.

    `times` has a row for each system and learner, with `median`, `low`, `high`, and `status` for where there is none.
    """
    compared = [learner for learner, style in styles.items() if not style.reference]
    places = {learner: rank + 0.5 * (rank >= len(compared)) for rank, learner in enumerate(styles)}
    with drawing():
        figure, panels = panels_of(times, height=0.55 + 0.135 * len(styles), share=True)
        for system, axes in panels.items():
            here = rows(times, system=system)
            longest = max(np.nanmax([0, *here["median"], *here["high"]]), 1e-9)
            for row in here.to_dict("records"):
                _bar(axes, row, places[row["learner"]], styles[row["learner"]], longest)
            axes.set_yticks(list(places.values()), [brief(learner) for learner in places])
            axes.tick_params(axis="y", length=0)
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
            axes.set(xlim=(0, 1.2 * longest), ylim=(len(styles), -0.7), xlabel=f"VPT ({timescales[system]}s)")
        finish(figure, panels, "")
    return figure


def learning_curves(curves: pd.DataFrame, styles: Styles, against: str = "update") -> Figure:
    """Validation loss while training: median over seeds, with the band between the lowest and the highest.

    `curves` has a row for each system, learner, seed and point, with `update`, `seconds` and `valid_loss`; `against` is
    the column of the horizontal axis.
    """
    trained = present(styles, curves)
    with drawing():
        figure, panels = panels_of(curves, legend=list(trained))
        for system, axes in panels.items():
            for learner, points in _curves(curves, system, trained):
                groups = points.replace(np.inf, np.nan).groupby("update")
                loss, x = groups["valid_loss"], groups[against].median()
                axes.plot(x, loss.median(), **trained[learner].line)
                _band(axes, x, loss.min(), loss.max(), trained[learner])
            axes.set(xscale="log", yscale="log", xlabel="updates" if against == "update" else "training time (s)")
            _few_ticks(axes)
        finish(figure, panels, "validation loss", handles(trained))
    return figure


def cost_accuracy(points: pd.DataFrame, styles: Styles, timescales: Mapping[str, str], label: str) -> Figure:
    """Valid prediction time against what it costs, with 95 % intervals; reference rows are levels across the panel.

    `points` has a row for each system and learner, with `cost`, `median`, `low` and `high`; `label` names the cost.
    """
    with drawing():
        figure, panels = panels_of(points, legend=list(styles))
        for system, axes in panels.items():
            for row in rows(points, system=system).dropna(subset=["median"]).to_dict("records"):
                style = styles[row["learner"]]
                if style.reference:
                    axes.axhline(row["median"], **style.line)
                elif row["cost"] > 0:
                    axes.errorbar(row["cost"], row["median"], _whiskers(row), **style.point)
            axes.set(xscale="log", xlabel=label, ylabel=f"VPT ({timescales[system]}s)")
            axes.margins(x=0.15)
            axes.set_ylim(-0.02 * axes.get_ylim()[1])
            _few_ticks(axes)
        finish(figure, panels, None, handles(styles, markers=True))
    return figure


def panels_of(
    frame: pd.DataFrame, legend: Collection[str] = (), height: float = 1.9, share: bool = False
) -> tuple[Figure, dict[str, Axes]]:
    """A panel for each system that has rows, three in a line, with room for a legend of these entries."""
    systems = [str(system) for system in dict.fromkeys(frame["system"])]
    columns = min(3, max(1, len(systems)))
    lines = max(1, -(-len(systems) // columns))
    width = PAGE * min(1, 0.3 + 0.35 * columns)
    inside = len(systems) < lines * columns and _fits(legend, width / columns, height)
    below = 0.0 if inside or not legend else legend_height(legend, width)
    figure = Figure(figsize=(width, height * lines + below), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=share)
    for axes in grid.flat[len(systems) :]:
        axes.set_axis_off()
    return figure, dict(zip(systems, grid.flat, strict=False))


def finish(figure: Figure, panels: dict[str, Axes], label: str | None, shown: Sequence[Line2D] = ()) -> None:
    """Titles, one label on the left, and the legend: in the last place if it is free and fits, below if not."""
    for system, axes in panels.items():
        axes.set_title(system)
        axes.spines[["top", "right"]].set_visible(False)
        place = axes.get_subplotspec()
        if label is not None and place and place.is_first_col():
            axes.set_ylabel(label)
    if not shown:
        return
    last, grid = figure.axes[-1], figure.axes[0].get_gridspec()
    width, height = figure.get_size_inches()
    names = [str(each.get_label()) for each in shown]
    if grid and len(panels) < len(figure.axes) and _fits(names, width / grid.ncols, height / grid.nrows):
        last.legend(handles=list(shown), loc="center")
    else:
        legend_below(figure, shown)


def _fits(legend: Collection[str], width: float, height: float) -> bool:
    """Whether a legend finds room in a panel of this size."""
    return entry_width(legend) <= width and LINE * len(legend) <= height


def _curves(frame: pd.DataFrame, system: str, styles: Styles) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each learner on one system, in the order of the styles."""
    for learner in styles:
        curve = rows(frame, system=system, learner=learner)
        if len(curve):
            yield learner, curve


def _growth(axes: Axes, curve: pd.DataFrame, style: Style) -> None:
    """The median of one learner, with a cross where it leaves the finite numbers, and the band around it."""
    thin = curve.iloc[:: max(1, len(curve) // SAMPLES)]
    shown = thin.replace(np.inf, np.nan)
    axes.plot(shown["time"], shown["median"], **style.line)
    if shown["median"].isna().any():
        axes.plot(*shown.dropna()[["time", "median"]].to_numpy()[-1:].T, marker="x", color=style.colour, zorder=5)
    if not style.reference:
        _band(axes, shown["time"], shown["low"], thin["high"].clip(upper=10 * CEILING), style)


def _band(axes: Axes, x: Any, low: Any, high: Any, style: Style) -> None:
    axes.fill_between(x, low, high, color=style.colour, alpha=0.12, linewidth=0)


def _bar(axes: Axes, row: Mapping[str, Any], place: float, style: Style, longest: float) -> None:
    """One bar with its interval and value, or what happened instead."""
    note: dict[str, Any] = {"fontsize": 6, "va": "center"}
    if np.isnan(row["median"]):
        axes.text(0.01 * longest, place, row["status"], color=NOTE, **note)
        return
    look = {"facecolor": "white", "edgecolor": style.colour, "hatch": "/////"} if style.reference else {}
    axes.barh(place, row["median"], 0.72, **({"color": style.colour, "linewidth": 0.5} | look))
    axes.errorbar(row["median"], place, xerr=_whiskers(row), color="black", linewidth=0.8, capsize=1.5)
    axes.text(
        np.nanmax([row["median"], row["high"]]) + 0.02 * longest,
        place,
        f"{'≥ ' if row.get('capped') else ''}{row['median']:.2f}",
        **note,
    )


def _whiskers(row: Mapping[str, Any]) -> np.ndarray | None:
    """Lengths of the error bar below and above the median."""
    interval = np.array([[row["median"] - row["low"]], [row["high"] - row["median"]]])
    return np.maximum(interval, 0) if np.isfinite(interval).all() else None


def _few_ticks(axes: Axes) -> None:
    """Labels at 1, 2 and 5 on a logarithmic axis that is short, at powers of ten on a long one."""
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            low, high = np.log10(axis.get_view_interval())
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high - low < 1.5 else (1,), numticks=6))
            axis.set_minor_locator(NullLocator())
            if high - low < 3:
                axis.set_major_formatter(StrMethodFormatter("{x:g}"))
