"""Simulated trajectories, each in a colour of its own: their time series, and their phase planes."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D

from results.figures.style import NOTE, PAGE, drawing
from results.formatting import channel, wrapped

SHOWN = 5  # channels at most, of which there are time series; of more, all are shown as an image of the first run
PLANES = 3  # channels at most, of which there are phase planes
FEW, CROWD = 5, 50_000  # trajectories that are drawn in thick lines, samples beyond which lines are hair-thin
WIDE = 300.0  # from the least to the largest value of a positive channel, beyond which its axis is logarithmic
COLOURS = "turbo"  # but for its ends, which are too dark
ACROSS = 80  # characters of a line of the title

States = Float[np.ndarray, "batch time dim"]


def simulated(
    times: Float[np.ndarray, "batch time"],
    states: States,
    system: str,
    unit: str = "t",
    channels: Sequence[str] = (),
    discrete: bool = False,
) -> Figure:
    """Time series of all trajectories below each other, and beside them phase planes, in 3-D from three channels on.

    Args:
        times: of the samples, in the unit that is named on the axis.
        states: of trajectories that start side by side.
        system: the title.
        unit: what is written below the axis of times.
        channels: their names; if not given, x1, x2, ...
        discrete: whether there is nothing between samples, as of maps: then they are dots.
    """
    dim = states.shape[-1]
    names = list(map(channel, channels or [f"x{place}" for place in range(1, dim + 1)]))
    colours, look = _colours(states), _look(states, discrete)
    rows = min(dim, SHOWN) if dim <= SHOWN else 1
    with drawing():
        figure = Figure(
            figsize=(PAGE, max(2.3, 1.0 + 0.95 * max(rows, 2 if dim >= PLANES else 1))), layout="constrained"
        )
        figure.suptitle(wrapped(system, ACROSS), fontsize=9)
        parts: Any = figure.subfigures(1, 2, width_ratios=(1.25, 1)) if dim > 1 else (figure, None)
        series, planes = parts
        if dim <= SHOWN:
            panels = series.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
            _time_series(panels, times, states, colours, unit, names, look)
            if not discrete:
                _span_decades(panels, states)
        else:
            _image(series.subplots(), times[0], states[0], unit)
        if planes is not None:
            _phase_planes(planes, states[..., :PLANES], colours, names, look)
    return figure


def _colours(states: States) -> list[Any]:
    """A colour for each trajectory, in the order in which they start along the first channel."""
    order = np.argsort(np.argsort(states[:, 0, 0], kind="stable"))
    return [mpl.colormaps[COLOURS](0.08 + 0.84 * place / max(1, len(states) - 1)) for place in order]


def _look(states: States, discrete: bool) -> dict[str, Any]:
    """Lines that let many others be seen, or dots."""
    if discrete:
        return {
            "linestyle": "none",
            "marker": ".",
            "markersize": 1.2,
            "markeredgewidth": 0.0,
            "rasterized": states[..., 0].size > CROWD,
        }
    few, many = len(states) <= FEW, states[..., 0].size > CROWD
    return {"linewidth": 0.9 if few else 0.3 if many else 0.55, "alpha": 0.95 if few else 0.75, "rasterized": not few}


def _time_series(
    axes: Sequence[Axes],
    times: Float[np.ndarray, "batch time"],
    states: States,
    colours: Sequence[Any],
    unit: str,
    names: Sequence[str],
    look: dict[str, Any],
) -> None:
    for place, panel in enumerate(axes):
        for clock, path, colour in zip(times, states, colours, strict=True):
            panel.plot(clock, path[:, place], color=colour, **look)
        panel.set_ylabel(names[place])
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0.01)
    axes[-1].set_xlabel(unit)


def _span_decades(axes: Sequence[Axes], states: States) -> None:
    """Give channels of positive values, the largest of which are far above the least, a logarithmic axis."""
    for place, panel in enumerate(axes):
        low, high = states[..., place].min(), states[..., place].max()
        if 0 < WIDE * low < high:
            panel.set_yscale("log")


def _image(axes: Axes, times: Float[np.ndarray, " time"], path: Float[np.ndarray, "time dim"], unit: str) -> None:
    """All channels of one trajectory over time."""
    picture = axes.pcolormesh(times, np.arange(path.shape[1]), path.T, cmap="RdBu_r", shading="auto", rasterized=True)
    axes.figure.colorbar(picture, ax=axes, pad=0.02)
    axes.set(xlabel=unit, ylabel="channel")
    axes.set_title("the first trajectory", color=NOTE)


def _phase_planes(
    figure: Any, states: States, colours: Sequence[Any], names: Sequence[str], look: dict[str, Any]
) -> None:
    """Every pair of channels, and all three of them in space."""
    pairs = list(combinations(range(states.shape[-1]), 2))
    shape = (1, 1) if len(pairs) == 1 else (2, 2)
    for place, (across, up) in enumerate(pairs, 1):
        panel = figure.add_subplot(*shape, place)
        for path, colour in zip(states, colours, strict=True):
            panel.plot(path[:, across], path[:, up], color=colour, **look)
            panel.plot(*path[0, [across, up]], ".", color=colour, markersize=2.5, zorder=3)
        panel.set(xlabel=names[across], ylabel=names[up])
        panel.spines[["top", "right"]].set_visible(False)
    if len(pairs) > 1:
        space: Axes3D = figure.add_subplot(*shape, 4, projection="3d")
        for path, colour in zip(states, colours, strict=True):
            space.plot(*path.T, color=colour, **look)
        space.set_axis_off()
        space.set_box_aspect((1, 1, 1), zoom=1.35)  # type: ignore[arg-type]
