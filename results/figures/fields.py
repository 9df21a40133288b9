"""Vector fields of planar systems as stream lines, and forecasts on a ring of sites in space and time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.figures.panels import small_multiples
from results.figures.style import NOTE, PAGE, Style, drawing
from results.formatting import plural, wrapped

ACROSS = 4  # panels in a line
FLOW = "0.72"  # grey of the true stream lines
DENSITY = 0.8  # of stream lines, relative to matplotlib's own
SAMPLES = 400  # of a picture's time axis, at most

Places = Float[np.ndarray, "place 2"]
Velocities = Float[np.ndarray, "place 2"]
Field = Float[np.ndarray, "time site"]


def vector_fields(
    places: Places,
    flow: Velocities,
    learned: Mapping[str, Velocities],
    styles: Mapping[str, Style],
    orbit: Float[np.ndarray, "time 2"] | None = None,
) -> Figure:
    """The field of each learner over that of the flow, on the same grid, with the mean distance between the two.

    `places` are those of a grid, the first channel changing fastest. The distance is relative to the root mean square
    of the flow. `orbit` is where the data are: what lies far from it was never seen.
    """
    side, shared = PAGE / ACROSS, {"sharex": True, "sharey": True}
    with drawing():
        figure, panels = small_multiples(len(learned), ACROSS, (side, side + 0.3), (0, 0.25), **shared)
        for axes, (learner, field) in zip(panels, learned.items(), strict=True):
            stream_lines(axes, places, flow, field, styles[learner].colour)
            if orbit is not None:
                axes.plot(*orbit.T, color="black", linewidth=0.8)
            axes.set_title(wrapped(learner), fontsize=6.8)
            away = distance(flow, field)
            said = f"off by {100 * away:.2g} %" if np.isfinite(away) else "not finite"
            look: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "top", "fontsize": 6}
            axes.text(0.5, -0.02, said, color=NOTE, **look)
    return figure


def stream_lines(axes: Axes, places: Places, flow: Velocities, field: Velocities, colour: Any) -> None:
    """Draw the flow in grey and a field over it in colour, in a square panel; a field that is not finite is left out.

    Both have lines through the same points, so that they lie on each other where the fields agree.
    """
    across, up = np.unique(places[:, 0]), np.unique(places[:, 1])
    shape = len(up), len(across)
    starts = places.reshape(*shape, 2)[2:-1:4, 2:-1:4].reshape(-1, 2)
    lines = [np.linspace(ends[0], ends[-1], len(ends)) for ends in (across, up)]  # evenly spaced to the last bit
    for velocity, tone, width in ((flow, FLOW, 1.6), (field, colour, 0.7)):
        if np.isfinite(velocity).all() and np.abs(velocity).max() > 0:
            look: dict[str, Any] = {"color": tone, "linewidth": width, "arrowsize": 0.5, "density": DENSITY}
            axes.streamplot(*lines, *velocity.T.reshape(2, *shape), start_points=starts, **look)
    axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]), xticks=[], yticks=[], box_aspect=1)


def distance(flow: Velocities, field: Velocities) -> float:
    """Root mean square distance of a field from the flow, relative to the flow's own root mean square."""
    return float(np.sqrt(((field - flow) ** 2).sum(-1).mean() / (flow**2).sum(-1).mean()))


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
            axes.set_ylabel(wrapped(name), rotation=0, ha="right", va="center", fontsize=6.5)
            axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        for axes in grid[-1]:
            axes.set_xlabel(f"time ({plural(unit)})")
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
