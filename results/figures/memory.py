"""Memory against the solver's steps: what grows with them lies along the diagonal, what does not is level."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from results.figures.panels import few_ticks, finish, panels_of
from results.figures.style import NOTE, drawing, handles, styles
from results.statistics.trials import rows

MEASURES = {"saved_bytes": "saved for the backward pass", "peak_bytes": "highest memory of the fit"}
MEGABYTE = 1e6


def memory_against_steps(points: pd.DataFrame) -> Figure:
    """A panel for each system and kind of memory, a line for each kind of learner, over the evaluations of an update.

    `points` are those of `memory_points`. Dots are proportion, through the highest point. The memory of a fit on a CPU
    is that above what its process held before, and includes what a process loads once, with its first fit.
    """
    looks = styles(list(dict.fromkeys(points.sort_values("kind")["kind"])), [])
    with drawing():
        titled = points.assign(system=points["system"] + ": " + points["measure"].replace(MEASURES))
        titled = titled.sort_values("measure", ascending=False, kind="stable")
        figure, panels = panels_of(titled, legend=list(looks), height=2.1)
        for title, axes in panels.items():
            here = rows(titled, system=title)
            for kind, look in looks.items():
                line = rows(here, kind=kind)
                axes.plot(line["steps"], line["bytes"] / MEGABYTE, **look.point | {"linestyle": "-", "linewidth": 1.3})
            if MEASURES["saved_bytes"] in title:
                highest = here.loc[here["bytes"].idxmax()]
                steps = np.array([here["steps"].min(), highest["steps"]])
                proportion = steps * (highest["bytes"] / highest["steps"] / MEGABYTE)
                axes.plot(steps, proportion, ":", color=NOTE, linewidth=0.8, zorder=1)
            axes.set(xscale="log", yscale="log", xlabel="function evaluations of a forward pass")
            few_ticks(axes)
        finish(figure, panels, "MB", handles(looks, markers=True))
    return figure
