"""Forecasts on a ring of sites in space and time, as pictures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.figures.style import NOTE, PAGE, drawing

SAMPLES = 400  # of a picture's time axis, at most

Field = Float[np.ndarray, "time site"]


def space_time(
    times: Float[np.ndarray, " time"], truth: Field, learned: Mapping[str, Field | str], unit: str
) -> Figure:
    """One forecast of each learner beside its distance from the truth, time from left to right; the truth on top.

    `times` are in units of what `unit` names. `learned` has a forecast for each learner, or words that say why there is
    none; samples that are not finite stay white. Distances are absolute, up to the range of the truth.
    """
    every = max(1, len(times) // SAMPLES)
    times, truth = times[::every], truth[::every]
    low, high = (float(end) for end in np.quantile(truth, (0.005, 0.995)))
    extent = (0.0, float(times[-1]), 0.5, truth.shape[1] + 0.5)
    with drawing():
        figure = Figure(figsize=(PAGE, 0.55 * (1 + len(learned)) + 0.45), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.015, w_pad=0.03)  # type: ignore[union-attr]
        grid = figure.subplots(1 + len(learned), 2, sharex=True, sharey=True, squeeze=False)
        field = _picture(grid[0, 0], truth, extent, "viridis", low, high)
        away = field
        for (left, right), forecast in zip(grid[1:], learned.values(), strict=True):
            if isinstance(forecast, str):
                left.text(0.02, 0.5, forecast, color=NOTE, fontsize=6, va="center", transform=left.transAxes)
                right.set_axis_off()
                continue
            _picture(left, forecast[::every], extent, "viridis", low, high)
            away = _picture(right, np.abs(forecast[::every] - truth), extent, "Greys", 0.0, high - low)
        for name, axes in zip(["truth", *learned], grid[:, 0], strict=True):
            axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=6.5)
            axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        for axes in grid[-1]:
            axes.set_xlabel(f"time ({unit}s)")
        grid[0, 0].set_title("field at each site")
        grid[0, 1].set_axis_off()  # where the truth has nothing to be compared with, the two scales of colour
        for place, (picture, name) in enumerate(((field, "field"), (away, "distance from the truth"))):
            inset = grid[0, 1].inset_axes((0.06 + 0.52 * place, 0.5, 0.38, 0.2))
            bar = figure.colorbar(picture, cax=inset, orientation="horizontal", ticks=MaxNLocator(3))
            bar.ax.tick_params(labelsize=5.5, length=2)
            bar.ax.set_title(name, fontsize=6.5)
    return figure


def _picture(axes: Axes, field: Field, extent: Any, colours: str, low: float, high: float) -> Any:
    axes.tick_params(length=2, labelsize=6)
    look = {"cmap": colours, "vmin": low, "vmax": high, "interpolation": "nearest", "aspect": "auto"}
    return axes.imshow(np.where(np.isfinite(field), field, np.nan).T, origin="lower", extent=extent, **look)
