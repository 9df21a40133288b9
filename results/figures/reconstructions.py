"""What models of latent states make of what they have read: a panel for each state, in the plane or over time."""

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.figures.panels import small_multiples
from results.figures.style import TRUTH, Style, drawing, legend_below, legend_height
from results.figures.time_series import BROAD, dots

ACROSS = 3  # panels in a line
SIDE = 1.13  # inches of a panel
MARGIN = 0.08  # around truth and data, as a fraction of their extent

States = Float[np.ndarray, "panel time dim"]


def reconstructions(given: Float[np.ndarray, "panel window dim"], truth: States, model: States, style: Style) -> Figure:
    """What was given, what is true, and what the model makes of it: within the window, and dashed beyond.

    In the plane of the first two channels; of one channel, over time. Truth and model begin with the window. Nothing
    is drawn where the model is not finite; limits are those of truth and data.
    """
    window = given.shape[1]
    line: dict[str, Any] = {"color": style.colour, "linewidth": 1.0}
    broad: dict[str, Any] = BROAD | {"linewidth": 1.8}
    shown = [
        Line2D([], [], **BROAD, label="truth"),
        Line2D([], [], **dots(0), label="given"),
        Line2D([], [], **line, label="decoded"),
        Line2D([], [], **line, linestyle="--", label="forecast"),
    ]
    below = legend_height([str(each.get_label()) for each in shown], ACROSS * SIDE)
    with drawing():
        figure, panels = small_multiples(len(given), ACROSS, (SIDE, SIDE), (0, below))
        for axes, seen, true, found in zip(panels, given, truth, model, strict=True):
            known, data, path = (_plane(each) for each in (true, seen, np.where(np.isfinite(found), found, np.nan)))
            axes.plot(*known.T, **broad)
            axes.plot(*data.T, **dots(0) | {"markersize": 3, "color": TRUTH})
            axes.plot(*path[:window].T, **line)
            axes.plot(*path[window - 1 :].T, **line, linestyle="--")
            every = np.concatenate([known, data])
            low, high = every.min(axis=0), every.max(axis=0)
            room = MARGIN * np.where(high > low, high - low, 1.0)
            axes.set(xticks=[], yticks=[])
            axes.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))
        legend_below(figure, shown)
    return figure


def _plane(states: Float[np.ndarray, "time dim"]) -> Float[np.ndarray, "time 2"]:
    """The first two channels, or the number of the sample and the only one."""
    return states[:, :2] if states.shape[1] > 1 else np.column_stack([np.arange(len(states)), states[:, 0]])
