"""A series that is given, what a model forecasts after it, and what came then where that is known."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from results.figures.style import NOTE, PAGE, drawing, styles
from results.formatting import wrapped

SHOWN = 8  # channels at most
PAST = 1.0  # of the series, as long as the forecast
TITLE = 60  # characters of a line of the title, beside which is the legend

Times = Float[np.ndarray, " time"]
States = Float[np.ndarray, "time dim"]


def continued(
    given: tuple[Times, States], forecast: tuple[Times, States], channels: Sequence[str], title: str, unit: str = "time"
) -> Figure:
    """Each channel over time, below each other: the series in grey, the forecast in colour, from a dashed line on.

    Args:
        given: times and states of the series, which may go on beyond the start of the forecast.
        forecast: times and states of the forecast; where these are not finite, nothing is drawn.
        channels: the names of the channels, of which the first ones are shown.
        title: what has forecast.
        unit: what is written below the axis of times.
    """
    start, end = forecast[0][0], forecast[0][-1]
    shown = given[0] >= start - PAST * (end - start)
    count = min(len(channels), SHOWN)
    colour = styles([title], ())[title].colour
    with drawing():
        figure = Figure(figsize=(PAGE, 0.8 + 0.95 * count), layout="constrained")
        panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        for channel, panel in enumerate(panels):
            panel.plot(given[0][shown], given[1][shown, channel], color=NOTE, linewidth=1.0, label="series")
            path = np.where(np.isfinite(forecast[1][:, channel]), forecast[1][:, channel], np.nan)
            panel.plot(forecast[0], path, color=colour, linewidth=1.2, label="forecast")
            panel.axvline(start, color=NOTE, linewidth=0.6, linestyle="--")
            panel.set_ylabel(channels[channel])
            panel.margins(x=0.01)
            panel.spines[["top", "right"]].set_visible(False)
        panels[-1].set_xlabel(unit)
        panels[0].set_title(wrapped(title, TITLE), loc="left")
        panels[0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.0)  # beside the title
    return figure
