"""Portraits in phase space, as small multiples: of the truth and every learner, and between two latent states."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D, proj3d

from results.figures.style import NOTE, PAGE, TRUTH, Style, drawing
from results.formatting import channel, plural, wrapped

POINTS = 3000  # of each curve, at most
MARGIN = 0.08  # around the truth, as a fraction of its extent
ACROSS = 5  # panels in a line
SHADES, LAST = 24, 0.9  # of the colours of time; the last ones are too light for thin lines
FLAT = 1e-12  # of the largest value, below which an extent is rounding
COLOURS = "viridis"  # of the time since a trajectory began
MARGIN_OF_PATHS = 0.06  # around all decoded trajectories, as a fraction of their extent
TITLE_LINE = 0.12  # inches; of a title, from one line to the next

Path = Float[np.ndarray, "time dim"]


def attractors(
    truth: Path,
    learned: Mapping[str, Path | str],
    step: float,
    timescale: str,
    channels: Sequence[str] = ("x1", "x2", "x3"),
) -> Figure:
    """The long run of the truth beside that of every learner, within the same limits: 3-D from three channels on.

    A single channel is drawn against itself a while before, until when its autocorrelation falls below 1/e.
    `learned` has a path for each learner, or words that say why there is none. `step` is the time between two samples,
    in units that `timescale` names, and `channels` are called so. Colours are those of time. A path is drawn
    up to where it leaves the truth's surroundings for good.
    """
    dim = min(truth.shape[1], 3)
    names = tuple(map(channel, channels[:3]))
    if dim == 1:
        lag = _decorrelation(truth[:, 0])
        dim = 2
        names = (f"{names[0]}(t - {lag * step:.2g})", f"{names[0]}(t)")
        paths: dict[str, Path | str] = {"": truth, **learned}  # each channel before and now
        delayed: dict[str, Any] = {
            name: path if isinstance(path, str) else np.column_stack([path[:-lag, 0], path[lag:, 0]])
            for name, path in paths.items()
        }
        truth, learned = delayed.pop(""), delayed
    truth = truth[:POINTS, :dim]
    size = float(np.abs(truth).max()) or 1.0  # in place of the extent of a channel that is constant
    extent = np.where(np.ptp(truth, 0) > FLAT * size, np.ptp(truth, 0), size)
    low, high = truth.min(0) - MARGIN * extent, truth.max(0) + MARGIN * extent
    jump = 4 * float(np.median(_moves(truth))) or float(extent.max())
    with drawing():
        figure, panels = _multiples(["truth", *learned], "3d" if dim == 3 else None)
        _draw(panels[0], truth, jump)
        _title(panels[0], "truth")
        for axes, (learner, path) in zip(panels[1:], learned.items(), strict=True):
            if isinstance(path, str):
                _title(axes, learner, path)
                continue
            inside, left = _stay(path[:POINTS, :dim], low, high)
            _draw(axes, inside, jump)
            _title(axes, learner, "" if left is None else f"leaves at {left * step:.3g} {plural(timescale)}")
        for axes in panels:
            _frame(axes, low, high)
        _name_channels(panels[0], low, high, names)
    return figure


def pq_plots(
    truth: Float[np.ndarray, "2 time"],
    learned: Mapping[str, Float[np.ndarray, "2 time"] | str],
    styles: Mapping[str, Style],
    notes: Mapping[str, str],
) -> Figure:
    """The paths (p, q) of the 0-1 test: bounded where the motion is regular, Brownian where it is chaotic.

    All panels have the scale of the truth's, unless a path needs more room. `notes` are said below the titles.

    Gottwald and Melbourne, "On the implementation of the 0-1 test for chaos", SIAM J. Appl. Dyn. Syst. 8, 2009.
    """
    with drawing():
        figure, panels = _multiples(["truth", *learned], None)
        reaches = [_reach(path) for path in learned.values() if not isinstance(path, str) and np.isfinite(path).all()]
        most = 2 * _reach(truth) if np.isfinite(truth).all() else np.inf  # no path of a truth at rest
        room = max((reach for reach in (most / 2, *reaches) if reach <= most and np.isfinite(reach)), default=1.0)
        for axes, (name, path) in zip(panels, {"truth": truth, **learned}.items(), strict=True):
            if isinstance(path, str) or not np.isfinite(path).all(0).any():
                _title(axes, name, path if isinstance(path, str) else "undefined" if name == "truth" else "diverged")
            else:
                finite = path[:, np.isfinite(path).all(0)][:, :POINTS]
                colour = styles[name].colour if name in styles else TRUTH
                zoom = _draw_pq(axes, finite, colour, room)
                _title(axes, name, ", ".join(filter(None, (notes.get(name, ""), zoom))))
            axes.set(xticks=[], yticks=[], box_aspect=1)
        _name_plane(panels[0], "p", "q")
    return figure


def _decorrelation(series: Float[np.ndarray, " time"]) -> int:
    """Samples until the autocorrelation of a series falls below 1/e; a tenth of it where it never does."""
    centred = series - series.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    correlation = np.fft.irfft(power)[: len(centred)]
    below = np.flatnonzero(correlation < correlation[0] / np.e)
    return max(1, int(below[0]) if len(below) else len(series) // 10)


def _multiples(names: Collection[str], projection: str | None) -> tuple[Figure, list[Any]]:
    """A figure with a square panel for each of these titles, with room for them, and nothing else in it."""
    count, more = len(names), TITLE_LINE * max(wrapped(name).count("\n") for name in names)
    columns = min(ACROSS, count)
    lines = -(-count // columns)
    side = PAGE / ACROSS
    # Axes in three dimensions leave the room of their labels empty, and cannot be laid out by constraints.
    titles = 0.4 + more
    height = lines * (side + 0.22 + more) + 0.08
    figure = Figure(figsize=(columns * side, height))
    grid = figure.add_gridspec(
        lines, columns, left=0.02 / columns, right=1 - 0.02 / columns, bottom=0.02, top=1 - titles / height
    )
    grid.update(wspace=0.06, hspace=0.24 + more / side)
    cells = [grid[place // columns, place % columns] for place in range(count)]
    return figure, [figure.add_subplot(cell, projection=projection) for cell in cells]


def _stay(path: Path, low: np.ndarray, high: np.ndarray) -> tuple[Path, int | None]:
    """The path up to where it leaves the box for good, NaN where it is outside for a while; and where it leaves."""
    inside = np.asarray(((path >= low) & (path <= high)).all(axis=1))
    last = int(inside.nonzero()[0][-1]) if inside.any() else -1
    gone = last < 0.95 * (len(path) - 1)
    return np.where(inside[:, None], path, np.nan)[: last + 1], last + 1 if gone else None


def _draw(axes: Any, path: Path, jump: float) -> None:
    """A line, dark where it begins; points where states follow each other in jumps that the truth never makes.

    Where nothing moves in the end, there is a dot.
    """
    moves = _moves(path)
    scattered = len(moves) > 0 and np.median(moves) > jump
    look = {"marker": ".", "markersize": 0.8, "linestyle": "none"} if scattered else {"linewidth": 0.45}
    ends = np.linspace(0, max(len(path) - 1, 0), SHADES + 1).round().astype(int)
    colours = mpl.colormaps[COLOURS](np.linspace(0, LAST, SHADES))
    for (begin, end), colour in zip(pairwise(ends), colours, strict=True):
        axes.plot(*path[begin : end + 1].T, color=colour, clip_on=False, **look)
    if len(moves) and moves[-len(moves) // 10 :].max() < 1e-3 * jump:
        axes.plot(*path[-1:].T, color=colours[-1], marker="o", markersize=3.5, clip_on=False)


def _moves(path: Path) -> np.ndarray:
    """How far it is from each sample to the next, where both are inside."""
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    return lengths[np.isfinite(lengths)]


def _draw_pq(axes: Axes, path: np.ndarray, colour: Any, room: float) -> str:
    """Draw a path in the middle of its panel; say by how much the scale differs, where it does."""
    reach = _reach(path)
    wide = max(1.0, reach / room)
    middle = (path.min(1) + path.max(1)) / 2
    axes.plot(*path, color=colour, linewidth=0.45)
    if reach < 0.02 * room:
        axes.plot(*path[:, -1:], color=colour, marker="o", markersize=3.5)
    half = 1.1 * room * wide
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    return f"scale 1 : {wide:.2g}" if wide > 1.0 else ""


def _reach(path: np.ndarray) -> float:
    return max(float(np.ptp(path, axis=1).max()) / 2, 1e-12)


def _frame(axes: Any, low: np.ndarray, high: np.ndarray) -> None:
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
    if isinstance(axes, Axes3D):
        axes.set(zlim=(low[2], high[2]))
        axes.set_proj_type("ortho")
        axes.view_init(elev=18, azim=-58)
        axes.set_box_aspect((1, 1, 0.9), zoom=1.4)  # type: ignore[arg-type]
        axes.set_axis_off()


def _name_channels(axes: Any, low: np.ndarray, high: np.ndarray, names: tuple[str, ...]) -> None:
    """Names of the channels: in 3-D on three short lines in the corner, in the directions of the axes as seen."""
    if not isinstance(axes, Axes3D):
        _name_plane(axes, *names[:2])
        return
    corners = low + np.vstack([np.zeros(3), np.diag(high - low)])
    x, y, z = corners.T
    seen = np.stack(proj3d.proj_transform(x, y, z, axes.get_proj())[:2], axis=-1)
    arms = 0.12 * (seen[1:] - seen[0]) / np.abs(seen[1:] - seen[0]).max()
    start = np.array([0.02, -0.02])
    look: dict[str, Any] = {"color": NOTE, "transform": axes.transAxes}
    for arm, name in zip(arms, names, strict=True):
        across, up = np.stack([start, start + arm], axis=-1)
        axes.add_line(Line2D(across, up, linewidth=0.6, clip_on=False, **look))
        end = start + arm * (1 + 0.05 / np.linalg.norm(arm))
        axes.text2D(end[0], end[1], name, fontsize=6, ha="center", va="center", **look)


def _name_plane(axes: Axes, across: str, up: str) -> None:
    """Labels inside the panel, where they keep clear of its neighbours."""
    look: dict[str, Any] = {"transform": axes.transAxes, "color": NOTE, "fontsize": 6.5}
    axes.text(0.97, 0.03, across, ha="right", va="bottom", **look)
    axes.text(0.03, 0.97, up, ha="left", va="top", **look)


def _title(axes: Any, name: str, note: str = "") -> None:
    text = axes.text2D if isinstance(axes, Axes3D) else axes.text
    where = {"transform": axes.transAxes, "ha": "center", "va": "bottom"}
    top = 0.98 if isinstance(axes, Axes3D) else 1.01
    text(0.5, top + 0.09 * bool(note), wrapped(name), fontsize=6.8, **where)
    text(0.5, top, fill(note, 30), fontsize=6, color=NOTE, **where)


def homotopy(
    paths: Mapping[str, tuple[Float[np.ndarray, "place time dim"], Float[np.ndarray, " time"]]], timescale: str
) -> Figure:
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
                _draw_path(axes, points, times, look)
                axes.set_aspect("equal" if planar else "auto")
            line[0].set_ylabel(wrapped(learner))
        for place, axes in enumerate(grid[0]):
            axes.set_title(f"{place / max(places - 1, 1):.2f}".rstrip("0").rstrip("."))
        figure.colorbar(look, ax=grid, label=plural(timescale), shrink=0.8, pad=0.01)
    return figure


def _draw_path(
    axes: Axes, points: Float[np.ndarray, "time 2"], times: Float[np.ndarray, " time"], look: ScalarMappable
) -> None:
    begin = int(np.searchsorted(times, 0.0))
    axes.plot(*points[: begin + 1].T, color=NOTE, linewidth=0.6, alpha=0.7)
    pieces = np.stack([points[begin:-1], points[begin + 1 :]], axis=1)
    axes.add_collection(LineCollection(list(pieces), colors=look.to_rgba(times[begin:-1]), linewidths=1.0))
    axes.plot(*points[begin], "o", color=mpl.colormaps[COLOURS](0.0), markersize=2.5)
    axes.margins(MARGIN_OF_PATHS)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
