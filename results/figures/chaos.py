"""Figures of long runs: return maps of successive maxima, spectra of Lyapunov exponents, and power spectra."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter, SymmetricalLogLocator

from results.figures.panels import Styles, band, by_learner, few_ticks, finish, panels_of, small_multiples
from results.figures.style import NOTE, PAGE, TRUTH, drawing, handles, present
from results.formatting import plural, wrapped
from results.statistics.trials import rows

ACROSS = 4  # panels in a line
WIDE = 3.0  # rates per timescale, beyond which a spectrum of exponents is drawn on a logarithmic scale
MARGIN = 0.06  # around the maxima of the truth, as a fraction of their range
FAINTEST = 1e-6  # of the largest power, below which a spectrum is not drawn


def maxima(series: Float[np.ndarray, " time"]) -> Float[np.ndarray, " maximum"]:
    """The heights of the peaks of a series, each that of the parabola through the highest sample and its neighbours."""
    before, here, after = series[:-2], series[1:-1], series[2:]
    with np.errstate(invalid="ignore", over="ignore"):
        peak = (here > before) & (here >= after) & np.isfinite(before) & np.isfinite(after)
        before, here, after = before[peak], here[peak], after[peak]
        return here - (after - before) ** 2 / (8 * (before - 2 * here + after))


def return_maps(
    truth: Float[np.ndarray, " time"],
    learned: Mapping[str, Float[np.ndarray, " time"] | str],
    styles: Styles,
    variable: str = "z",
) -> Figure:
    """Each maximum of one channel of a long run against the next: the truth in grey behind every learner.

    `learned` has a series for each learner, or words that say why there is none. Where the motion is nearly that of a
    map in one dimension, the points lie on its graph; on the diagonal a maximum repeats itself.

    Lorenz, "Deterministic nonperiodic flow", J. Atmos. Sci. 20, 1963.
    """
    known = maxima(truth)
    low, high = known.min() - MARGIN * np.ptp(known), known.max() + MARGIN * np.ptp(known)
    side, shown = PAGE / (ACROSS + 0.3), {"truth": truth, **learned}
    with drawing():
        figure, panels = small_multiples(
            len(shown), ACROSS, (side, side + 0.2), (0.3 * side, 0.3), sharex=True, sharey=True
        )
        for place, (axes, (name, series)) in enumerate(zip(panels, shown.items(), strict=True)):
            axes.axline((low, low), slope=1, color=NOTE, linewidth=0.5, zorder=1)
            if isinstance(series, str):
                axes.text(0.5, 0.85, series, color=NOTE, fontsize=6, ha="center", transform=axes.transAxes)
            elif name == "truth":
                _points(axes, known, TRUTH, 2.2)
            else:
                _points(axes, known, "0.78", 3.6)
                _points(axes, maxima(series), styles[name].colour, 2.2)
            axes.set(xlim=(low, high), ylim=(low, high), box_aspect=1)
            axes.set_title(wrapped(name), fontsize=6.8)
            axes.xaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.tick_params(labelbottom=place + ACROSS >= len(shown))  # where no panel is below
        sns.despine(figure)
        figure.supxlabel(f"maximum of {variable}", fontsize=7.5)
        figure.supylabel(f"the next maximum of {variable}", fontsize=7.5)
    return figure


def lyapunov_spectra(spectra: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """Lyapunov exponents in their order: the truth as broad grey steps, each learner as points with its interval.

    `spectra` has a row for each system, learner and `order`, from 1, with `median`, `low` and `high`, per timescale;
    the rows of the truth have the learner "".
    """
    shown = present(styles, spectra)
    apart = np.linspace(-0.27, 0.27, len(shown)) if len(shown) > 1 else [0.0]
    with drawing():
        figure, panels = panels_of(spectra, legend=list(shown), height=2.1)
        for system, axes in panels.items():
            axes.axhline(0, color=NOTE, linewidth=0.5, zorder=1)
            truth = rows(spectra, system=system, learner="")
            axes.hlines(truth["median"], truth["order"] - 0.42, truth["order"] + 0.42, color="0.75", linewidth=2.4)
            for shift, (learner, style) in zip(apart, shown.items(), strict=True):
                mine = rows(spectra, system=system, learner=learner)
                interval = np.abs(mine[["low", "high"]].sub(mine["median"], axis=0).to_numpy().T)
                look = style.point | {"markersize": 3, "elinewidth": 0.8}
                axes.errorbar(mine["order"] + shift, mine["median"], interval, **look)
            axes.set(xlabel="exponent", ylabel=f"rate (1/{timescales[system]})")
            if np.abs(axes.get_ylim()).max() > WIDE:
                axes.set_yscale("symlog")
                axes.autoscale(axis="y")  # whose margins are those of the new scale
                axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 3)))
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        finish(figure, panels, None, handles(shown, markers=True))
    return figure


def tests_by_length(tests: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """K of the 0-1 test against the length of the run: the truth as a broad grey line below the learners.

    `tests` has a row for each system, learner and `length`, in timescales, with `k`, the median over seeds, between
    `low` and `high`, and the length `enough` from which on K is to be relied on; the rows of the truth have the learner
    "".
    """
    shown = present(styles, tests)
    with drawing():
        figure, panels = panels_of(tests, legend=list(shown), height=1.9, share=True)
        for system, axes in panels.items():
            truth = rows(tests, system=system, learner="")
            axes.plot(truth["length"], truth["k"], color=TRUTH, linewidth=2.6, alpha=0.35, zorder=1.5)
            for style, mine in by_learner(tests, system, shown):
                axes.plot(mine["length"], mine["k"], **style.line)
                band(axes, mine["length"], mine["low"], mine["high"], style)
            for level in (0, 1):
                axes.axhline(level, color=NOTE, linewidth=0.5, zorder=1)
            enough = truth["enough"].iloc[0]
            if enough < truth["length"].max():
                axes.axvline(enough, color=NOTE, linewidth=0.7, linestyle="--", zorder=1)
            axes.set(xscale="log", xlabel=f"length of the run ({plural(timescales[system])})", ylim=(-0.25, 1.12))
            few_ticks(axes)
        finish(figure, panels, "K", handles(shown))
    return figure


def _points(axes: Axes, peaks: Float[np.ndarray, " maximum"], colour: object, size: float) -> None:
    axes.plot(peaks[:-1], peaks[1:], ".", color=colour, markersize=size, markeredgewidth=0)


def power_spectra(spectra: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """Draw power over frequency, a panel a system: the truth as a broad grey line below the learners.

    `spectra` has a row for each system, learner and `frequency`, in cycles per timescale, with `power`; the rows of the
    truth have the learner "".
    """
    labels = {system: f"frequency (1/{timescale})" for system, timescale in timescales.items()}
    return _spectra(spectra, styles, "frequency", labels, "power")


def spatial_spectra(spectra: pd.DataFrame, styles: Styles) -> Figure:
    """Draw mean power over wave number as `power_spectra` does, from rows for each system, learner and `wave`."""
    labels = dict.fromkeys(spectra["system"], "waves around the ring")
    return _spectra(spectra, styles, "wave", labels, "mean power", room=0.5)


def _spectra(
    spectra: pd.DataFrame, styles: Styles, x: str, labels: Mapping[str, str], label: str, room: float = 0.0
) -> Figure:
    shown = present(styles, spectra)
    with drawing():
        figure, panels = panels_of(spectra, legend=list(shown), height=2.0)
        for system, axes in panels.items():
            truth = rows(spectra, system=system, learner="")
            axes.plot(truth[x], truth["power"], color=TRUTH, linewidth=2.6, alpha=0.35, zorder=1.5)
            for style, mine in by_learner(spectra, system, shown):
                line: dict[str, Any] = style.line | {"linewidth": 0.9}
                axes.plot(mine[x], mine["power"], **line)
            seen = truth.loc[truth["power"] > FAINTEST * truth["power"].max()]
            axes.set(yscale="log", ylim=(seen["power"].min() / 10, 30 * seen["power"].max()))
            axes.set(xlabel=labels[system], xlim=(0, seen[x].max() + room))
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=x == "wave"))
        finish(figure, panels, label, handles(shown))
    return figure
