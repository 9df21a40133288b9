"""Trajectories decoded on the way from one latent state to another: how one motion turns into the next."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from results.figures.style import NOTE, PAGE, drawing
from results.formatting import wrapped

Paths = Float[np.ndarray, "place time dim"]
Times = Float[np.ndarray, " time"]
COLOURS = "viridis"  # of the time since the beginning
MARGIN = 0.06  # around all trajectories, as a fraction of their extent


def homotopy(paths: Mapping[str, tuple[Paths, Times]], timescale: str) -> Figure:
    """A line of panels for each learner, from one latent state to the other, in the plane of the first two channels.

    `paths` are decoded trajectories with their times, in units that `timescale` names; what lies before time zero is
    grey. Of one channel, its time series are drawn.
    """
    longest = max(times[-1] for _, times in paths.values())
    look = ScalarMappable(Normalize(0, longest), mpl.colormaps[COLOURS])
    with drawing():
        places = max(len(path) for path, _ in paths.values())
        figure = Figure(figsize=(PAGE, 0.25 + 1.15 * len(paths)), layout="constrained")
        grid = figure.subplots(len(paths), places, squeeze=False, sharex="row", sharey="row")
        for line, (learner, (path, times)) in zip(grid, paths.items(), strict=True):
            planar = path.shape[-1] > 1
            for axes, trajectory in zip(line, path, strict=False):
                points = trajectory[:, :2] if planar else np.column_stack([times, trajectory[:, 0]])
                _draw(axes, points, times, look)
                axes.set_aspect("equal" if planar else "auto")
            line[0].set_ylabel(wrapped(learner))
        for place, axes in enumerate(grid[0]):
            axes.set_title(f"{place / max(places - 1, 1):.2f}".rstrip("0").rstrip("."))
        figure.colorbar(look, ax=grid, label=f"{timescale}s", shrink=0.8, pad=0.01)
    return figure


def _draw(axes: Axes, points: Float[np.ndarray, "time 2"], times: Times, look: ScalarMappable) -> None:
    begin = int(np.searchsorted(times, 0.0))
    axes.plot(*points[: begin + 1].T, color=NOTE, linewidth=0.6, alpha=0.7)
    pieces = np.stack([points[begin:-1], points[begin + 1 :]], axis=1)
    axes.add_collection(LineCollection(list(pieces), colors=look.to_rgba(times[begin:-1]), linewidths=1.0))
    axes.plot(*points[begin], "o", color=mpl.colormaps[COLOURS](0.0), markersize=2.5)
    axes.margins(MARGIN)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
