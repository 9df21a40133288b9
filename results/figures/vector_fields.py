"""Vector fields of planar systems: stream lines of what was learned over those of the truth."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.figures.style import NOTE, PAGE, Style, drawing
from results.formatting import wrapped

ACROSS = 4  # panels in a line
FLOW = "0.72"  # grey of the true stream lines
DENSITY = 0.8  # of stream lines, relative to matplotlib's own

Places = Float[np.ndarray, "place 2"]
Velocities = Float[np.ndarray, "place 2"]


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
    columns = min(ACROSS, max(1, len(learned)))
    lines = -(-len(learned) // columns)
    with drawing():
        figure = Figure(figsize=(PAGE * columns / ACROSS, (PAGE / ACROSS + 0.3) * lines + 0.25), layout="constrained")
        grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
        for axes in grid.flat[len(learned) :]:
            axes.set_axis_off()
        for axes, (learner, field) in zip(grid.flat, learned.items(), strict=False):
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
