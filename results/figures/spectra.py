"""Spectra of long runs: power over frequency, or over wave number, of the truth below the learners."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.figures.panels import Styles, by_learner, finish, panels_of
from results.figures.style import TRUTH, drawing, handles, present
from results.statistics.trials import rows

FAINTEST = 1e-6  # of the largest power, below which a spectrum is not drawn


def power_spectra(spectra: pd.DataFrame, styles: Styles, timescales: Mapping[str, str]) -> Figure:
    """Draw power over frequency, a panel a system: the truth as a broad grey line below the learners.

    Args:
        spectra: a row for each system, learner and `frequency`, in cycles per timescale, with `power`; the rows of the
            truth have the learner "".
        styles: of the learners.
        timescales: what one unit of time is called, by system.
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
