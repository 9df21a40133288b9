"""Forecasts over time: each learner over the truth and the data, all of it, enlarged, and in the plane."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from results.figures.style import NOTE, PAGE, TRUTH, Style, drawing
from results.formatting import brief, channel, plural

ENLARGED = 0.2  # of the time, which is shown once more
LOST = 0.5  # standard deviations of the truth, a distance from which on a forecast is another
MARGIN = 0.12  # around truth and data, as a fraction of their extent
FEWEST = 8  # samples of that part
MANY = 100  # samples, beyond which dots are small
HEIGHT = 0.85  # inches of a line
BROAD: dict[str, Any] = {"color": TRUTH, "linewidth": 2.6, "alpha": 0.3, "zorder": 1.5, "solid_capstyle": "butt"}
UNTRAINED: dict[str, Any] = {"linewidth": 0.7, "linestyle": (0, (4, 2)), "alpha": 0.6}

Times = Float[np.ndarray, " time"]
States = Float[np.ndarray, "time dim"]


def time_series(
    times: Times,
    truth: States,
    learned: Mapping[str, States | str],
    styles: Mapping[str, Style],
    unit: str,
    data: States | None = None,
    channels: Sequence[str] = ("x1", "x2", "x3"),
    before: Mapping[str, States] | None = None,
) -> Figure:
    """A line for each learner: its first channel over time, a part of that enlarged, and its path in a plane.

    The truth is a broad grey line and the data are dots, in all of them. The part is that about the time at which half
    of the learners have left the truth, or the last one, and the plane that of the first channel and the third, if
    there is one. Nothing is drawn where a forecast is not finite; limits are those of truth and data.

    Args:
        times: of the samples, in what `unit` names.
        learned: states for each learner at these times, or words that say why there are none.
        data: what was observed at these times.
        channels: their names.
        before: states at these times before training, of some of the learners.
    """
    before = before or {}
    part = _part(truth, [path for path in learned.values() if not isinstance(path, str)])
    up = min(3, truth.shape[1])
    names = list(map(channel, channels))
    # Each panel shows two of the columns, of which time is the first, at some of the samples.
    panels = [(0, 1, slice(None)), (0, 1, part), *([(1, up, slice(None))] if up > 1 else [])]
    known = {"truth": truth, "data": data}
    known = {name: np.column_stack([times, states]) for name, states in known.items() if states is not None}
    limits = [_limits([states[shown] for states in known.values()]) for _, _, shown in panels]
    with drawing():
        figure = Figure(figsize=(PAGE, 0.6 + HEIGHT * len(learned)), layout="constrained")
        shares = (2.2, 1.4, 1.0)[: len(panels)]
        grid = figure.subplots(len(learned), len(panels), squeeze=False, sharex="col", width_ratios=shares)
        for line, (learner, path) in zip(grid, learned.items(), strict=True):
            for axes, (across, upwards, shown), ends in zip(line, panels, limits, strict=True):
                curves = {name: each[shown][:, [across, upwards]].T for name, each in known.items()}
                axes.plot(*curves["truth"], **BROAD)
                if "data" in curves:
                    axes.plot(*curves["data"], **dots(len(times[shown])))
                drawn = [(before[learner], UNTRAINED)] if learner in before else []
                drawn += [] if isinstance(path, str) else [(path, {"linewidth": 0.9})]
                for states, look in drawn:
                    found = np.column_stack([times, np.where(np.isfinite(states), states, np.nan)])[shown]
                    axes.plot(*found[:, [across, upwards]].T, color=styles[learner].colour, **look)
                axes.set(xlim=ends[across], ylim=ends[upwards], ylabel=names[upwards - 1])
                axes.yaxis.set_major_locator(MaxNLocator(2))
                axes.spines[["top", "right"]].set_visible(False)
            words = f": {path}" if isinstance(path, str) else ""
            line[0].set_title(f"{brief(learner)}{words}", loc="left", fontsize=6.8)
            line[0].axvspan(*times[part][[0, -1]], color="0.93", linewidth=0, zorder=0)
        for axes, (across, _, _) in zip(grid[-1], panels, strict=True):
            axes.set_xlabel(names[across - 1] if across else f"time ({plural(unit)})")
        entries = [Line2D([], [], **BROAD, label="truth"), Line2D([], [], color=NOTE, linewidth=0.9, label="learner")]
        entries += [Line2D([], [], color=NOTE, **UNTRAINED, label="before training")] if before else []
        entries += [] if data is None else [Line2D([], [], **dots(0), label="training data")]
        figure.legend(handles=entries, loc="outside upper right", ncols=len(entries))
    return figure


def dots(count: int) -> dict[str, Any]:
    """The look of so many data: small where there are many."""
    size = 2.0 if count > MANY else 4.5
    return {"color": NOTE, "marker": ".", "markersize": size, "markeredgewidth": 0, "linestyle": "none", "zorder": 1.8}


def _part(truth: States, learned: Sequence[States]) -> slice:
    """The samples about that by which half of the learners have left the truth; the last ones where they do not."""
    count = len(truth)
    width = min(count, max(FEWEST, round(ENLARGED * count)))
    scale = np.where(truth.std(axis=0) > 0, truth.std(axis=0), 1.0)
    left = [count]
    for path in learned:
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.sqrt((((path - truth) / scale) ** 2).mean(axis=1)) < LOST
        given = np.isnan(path).all(axis=1).cumprod().astype(bool)  # the samples that the learner was given
        away = np.flatnonzero(~(near | given))
        left.append(int(away[0]) if len(away) else count)
    middle = int(np.median(left[1:] or left))
    begin = int(np.clip(middle - width // 2, 0, count - width))
    return slice(begin, begin + width)


def _limits(curves: Sequence[States]) -> Float[np.ndarray, "column 2"]:
    """The ends of each column, of which the first is time, with room around the others."""
    every = np.concatenate(curves)
    low, high = every.min(axis=0), every.max(axis=0)
    room = MARGIN * np.where(high > low, high - low, 1.0)
    room[0] = 0.0
    return np.stack([low - room, high + room], axis=-1)
