"""Figures of performance: error growth, prediction times and learning curves; a panel a system."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from results.figures.panels import Styles, band, by_learner, few_ticks, finish, names_beside, over_seeds, panels_of
from results.figures.style import NOTE, Style, drawing, handles, present
from results.formatting import plural
from results.statistics.trials import rows

THRESHOLDS = (0.5, 0.05)  # of the two prediction times, in standard deviations
FLOOR = 1e-4  # of the error axis
CEILING = 5.0
SAMPLES = 200  # of each drawn error curve, at least
STEPS = (1, 2, 5, 10)  # between ticks of prediction times
SPENT = {"update": "updates", "seconds": "training time (s)", "samples": "images seen"}
LOSSES = {"valid_loss": "validation loss", "train_loss": "training loss"}


def error_growth(growth: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """NRMSE over time: medians over test states, with the band between the quartiles for the compared learners.

    `growth` has a row for each system, learner and time, with `time` (in timescales), `low`, `median` and `high`,
    infinite after a divergence. `timescales` names the unit of time of each system.
    """
    with drawing():
        figure, panels = panels_of(growth, legend=list(styles), share=True)
        for system, axes in panels.items():
            for style, curve in by_learner(growth, system, styles):
                _growth(axes, curve, style)
            for threshold in THRESHOLDS:
                axes.axhline(threshold, color=NOTE, linewidth=0.5, zorder=1)
                look: dict[str, Any] = {"fontsize": 5.5, "color": NOTE, "va": "center"}
                axes.text(1.01, threshold, f"{threshold}", transform=axes.get_yaxis_transform(), **look)
            axes.set(yscale="log", ylim=(FLOOR, CEILING), xlabel=f"time ({plural(timescales[system])})")
            axes.yaxis.set_minor_locator(NullLocator())
            axes.set_xlim(0, float(np.max(rows(growth, system=system)["time"])))
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        finish(figure, panels, "NRMSE", handles(styles))
    return figure


def prediction_times(times: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """Valid prediction time by learner, as bars with 95 % intervals; reference rows are grey and hatched.

    `times` has a row for each system and learner, with `median`, `low`, `high`, and `status` for where there is none.
    """
    compared = [learner for learner, style in styles.items() if not style.reference]
    places = {learner: rank + 0.5 * (rank >= len(compared)) for rank, learner in enumerate(styles)}
    names, _, lines = names_beside(places)
    with drawing():
        figure, panels = panels_of(times, height=0.55 + (0.035 + 0.1 * lines) * len(styles), share=True)
        for system, axes in panels.items():
            here = rows(times, system=system)
            longest = max(np.nanmax([0, *here["median"], *here["high"]]), 1e-9)
            for row in here.to_dict("records"):
                _bar(axes, row, places[row["learner"]], styles[row["learner"]], longest)
            axes.set_yticks(list(places.values()), names)
            axes.tick_params(axis="y", length=0)
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
            axes.set(xlim=(0, 1.2 * longest), ylim=(len(styles), -0.7), xlabel=f"VPT ({plural(timescales[system])})")
        finish(figure, panels, "")
    return figure


def learning_curves(curves: pd.DataFrame, styles: Styles, against: str = "update", loss: str = "valid_loss") -> Figure:
    """A loss while training: median over seeds, with the band between the lowest and the highest.

    `curves` has a row for each system, learner, seed and point, with `update`, `seconds` and `valid_loss`; `against` is
    the column of the horizontal axis, and `loss` that of the vertical one.
    """
    trained = present(styles, curves)
    with drawing():
        figure, panels = panels_of(curves, legend=list(trained))
        for system, axes in panels.items():
            for style, points in by_learner(curves, system, trained):
                over_seeds(axes, points.replace(np.inf, np.nan), against, loss, style)
            axes.set(xscale="log", yscale="log", xlabel=SPENT[against])
            few_ticks(axes)
        finish(figure, panels, LOSSES[loss], handles(trained))
    return figure


def _growth(axes: Axes, curve: pd.DataFrame, style: Style) -> None:
    """The median of one learner, with a cross where it leaves the finite numbers, and the band around it."""
    thin = curve.iloc[:: max(1, len(curve) // SAMPLES)]
    shown = thin.replace(np.inf, np.nan)
    axes.plot(shown["time"], shown["median"], **style.line)
    if shown["median"].isna().any():
        last = shown.dropna(subset="median").tail(1)
        look: dict[str, Any] = {"marker": "x", "color": style.colour, "zorder": 5, "clip_on": False}
        axes.plot(last["time"], last["median"].clip(FLOOR, CEILING), **look)
    if not style.reference:
        band(axes, shown["time"], shown["low"], thin["high"].clip(upper=10 * CEILING), style)


def _bar(axes: Axes, row: Mapping[str, Any], place: float, style: Style, longest: float) -> None:
    """One bar with its interval and value, or what happened instead."""
    note: dict[str, Any] = {"fontsize": 6, "va": "center"}
    if np.isnan(row["median"]):
        axes.text(0.01 * longest, place, row["status"], color=NOTE, **note)
        return
    look = {"facecolor": "white", "edgecolor": style.colour, "hatch": "/////"} if style.reference else {}
    look = {"color": style.colour, "linewidth": 0.5, "error_kw": {"linewidth": 0.8, "capsize": 1.5}} | look
    axes.barh(place, row["median"], 0.72, xerr=_whiskers(row), **look)
    end = np.nanmax([row["median"], row["high"]]) + 0.02 * longest
    axes.text(end, place, f"{'≥ ' if row.get('capped') else ''}{row['median']:.2f}", **note)


def _whiskers(row: Mapping[str, Any]) -> np.ndarray | None:
    """Lengths of the error bar below and above the median."""
    interval = np.array([[row["median"] - row["low"]], [row["high"] - row["median"]]])
    return np.maximum(interval, 0) if np.isfinite(interval).all() else None
