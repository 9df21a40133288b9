"""Films of learning: how a model follows its data, and its vector field, beside the truth at each stage of training."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from textwrap import wrap
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.figures.fields import stream_lines
from results.figures.style import PAGE, TRUTH, drawing, save
from results.figures.time_series import dots
from results.formatting import plural, wrapped

STAGES = 5  # of a strip, at most
SIZE = (PAGE, 2.8)  # inches of a picture
DOTS = 130  # an inch, so that width and height are even numbers of pixels, as video asks for
RATE = 4  # pictures a second
LASTING = 10  # pictures that the last stage is shown for
LINE = 0.08  # inches more for each parameter below a stage
WIDE = 100  # letters of a title
ROOM = 0.25  # around the truth, as a fraction of its extent


@dataclass(frozen=True)
class Film:
    """The stages of one training, the last of which is the model that was kept.

    `updates [stage]`, `times [time]` in units that `timescale` names, `truth [time, channel]` and the `data` that were
    observed of it, `forecasts [stage, time, channel]`; of planar systems also `places [place, 2]` of a grid, `flow
    [place, 2]` and `fields [stage, place, 2]`; of equations with parameters their `names`, the `true` ones and those
    that were `fitted [stage, parameter]`.
    """

    system: str
    learner: str
    timescale: str
    ring: bool  # whether the channels are the sites of a ring
    updates: np.ndarray
    times: np.ndarray
    truth: np.ndarray
    data: np.ndarray
    forecasts: np.ndarray
    places: np.ndarray | None = None
    flow: np.ndarray | None = None
    fields: np.ndarray | None = None
    names: np.ndarray | None = None
    true: np.ndarray | None = None
    fitted: np.ndarray | None = None

    @classmethod
    def of(cls, system: str, learner: str, timescale: str, ring: bool, arrays: Mapping[str, np.ndarray]) -> "Film":
        """The film in the arrays of a cell, of its only seed. Raises KeyError where there is none in them."""
        names = ("updates", "times", "truth", "data", "forecasts")
        beside = ("places", "flow", "fields", "names", "true", "fitted")
        more = [name for name in beside if f"film_{name}" in arrays]
        return cls(system, learner, timescale, ring, **{name: arrays[f"film_{name}"][0] for name in (*names, *more)})

    def __len__(self) -> int:
        return len(self.updates)

    def parameters(self, stage: int) -> list[str]:
        """Each fitted parameter at a stage beside the true one; none of other models."""
        if self.names is None or self.true is None or self.fitted is None:
            return []
        values = zip(self.names, self.fitted[stage], self.true, strict=True)
        return [f"{name} {fitted:#.3g} (true {true:#.3g})" for name, fitted, true in values]


def write(film: Film, folder: Path, name: str, colour: Any) -> list[Path]:
    """Write `folder/name.gif`, a strip of its stages as a figure, and `name.mp4` where ffmpeg is installed.

    Raises:
        RuntimeError: where ffmpeg fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[Path, AbstractMovieWriter] = {folder / f"{name}.gif": PillowWriter(RATE)}
    if FFMpegWriter.isAvailable():
        writers[folder / f"{name}.mp4"] = FFMpegWriter(RATE)
    paths = list(save(strip(film, colour), folder, name).values())
    with drawing():
        figure = Figure(SIZE, layout="constrained")
        for path, writer in writers.items():
            try:
                with writer.saving(figure, str(path), DOTS):
                    for stage in (*range(len(film)), *[len(film) - 1] * (LASTING - 1)):
                        frame(film, stage, colour, figure)
                        writer.grab_frame()
            except (BrokenPipeError, CalledProcessError) as error:
                why = getattr(error, "stderr", None) or error
                raise RuntimeError(f"ffmpeg cannot write {path}: {str(why).strip()}") from error
    return [*paths, *writers]


def strip(film: Film, colour: Any) -> Figure:
    """A few stages side by side, from the untrained model to the one that was kept: in a plane, or on a ring."""
    stages = np.unique(np.linspace(0, len(film) - 1, min(STAGES, len(film))).round().astype(int))
    with drawing():
        height = PAGE / STAGES + 0.55 + LINE * len(film.parameters(0))
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        for axes, stage in zip(figure.subplots(1, len(stages), squeeze=False)[0], stages, strict=True):
            forecast = _bounded(film.forecasts[stage], film.truth)
            if film.ring:
                low, high = float(film.truth.min()), float(film.truth.max())
                axes.imshow(forecast, vmin=low, vmax=high, cmap="viridis", aspect="auto", origin="lower")
                axes.set(xticks=[], yticks=[])
            elif film.truth.shape[1] == 1:
                _series(axes, film, forecast, colour)
                axes.set(xticks=[], yticks=[])
            else:
                _plane(axes, film, int(stage), forecast, colour)
                axes.set_ylabel("")
            last = stage == len(film) - 1
            axes.set_title("kept" if last else f"{film.updates[stage]:,.0f} updates", fontsize=7)
            axes.set_xlabel("\n".join(film.parameters(int(stage))), fontsize=6)
        figure.suptitle(wrapped(f"{film.learner} on {film.system}", WIDE), x=0.01, ha="left", fontsize=8)
    return figure


def frame(film: Film, stage: int, colour: Any, figure: Figure | None = None) -> Figure:
    """Draw one stage in a new figure, or in place of what is in this one.

    The forecast is drawn over time, and in the plane of two channels or, on a ring, in space and time.
    """
    forecast = _bounded(film.forecasts[stage], film.truth)
    with drawing():
        figure = figure or Figure(SIZE, layout="constrained")
        figure.clear()
        if film.ring:
            extent = (0.0, float(film.times[-1]), 0.5, film.truth.shape[1] + 0.5)
            look: dict[str, Any] = {"extent": extent, "aspect": "auto", "origin": "lower", "interpolation": "nearest"}
            low, high = float(film.truth.min()), float(film.truth.max())
            grid = figure.subplots(2, 1, sharex=True)
            for axes, name, field in zip(grid, ("truth", film.learner), (film.truth, forecast), strict=True):
                axes.imshow(field.T, vmin=low, vmax=high, cmap="viridis", **look)
                axes.set_ylabel(name)
            grid[-1].set_xlabel(f"time ({plural(film.timescale)})")
        elif film.truth.shape[1] == 1:
            _channel(figure.subplots(), film, forecast, colour)
        else:
            left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
            _plane(left, film, stage, forecast, colour)
            _channel(right, film, forecast, colour)
        when = f"after {film.updates[stage]:,.0f} of {film.updates[-1]:,.0f} updates"
        if stage == len(film) - 1:
            when = "the model that was kept"
        lines = [f"{film.learner} on {film.system}, {when}", *wrap(", ".join(film.parameters(stage)), WIDE)]
        figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9)
    return figure


def _bounded(forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The forecast without what lies far outside of every picture."""
    low, high = truth.min(0), truth.max(0)
    far = 3 * (high - low) + 1e-12
    with np.errstate(invalid="ignore"):
        return np.where((forecast > low - far) & (forecast < high + far), forecast, np.nan)


def _plane(axes: Axes, film: Film, stage: int, forecast: np.ndarray, colour: Any) -> None:
    """The first channel against the second or, of three, the third; with both fields where there are any."""
    other = min(2, film.truth.shape[1] - 1)
    if film.places is not None and film.flow is not None and film.fields is not None:
        stream_lines(axes, film.places, film.flow, film.fields[stage], colour)
    else:
        seen = film.truth[:, [0, other]]
        low, high = seen.min(0), seen.max(0)
        room = ROOM * (high - low)
        (left, bottom), (right, top) = low - room, high + room
        axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], box_aspect=1)
    axes.plot(film.data[:, 0], film.data[:, other], **dots(len(film.data)))
    axes.plot(film.truth[:, 0], film.truth[:, other], color=TRUTH, linewidth=0.9, alpha=0.75)
    axes.plot(forecast[:, 0], forecast[:, other], color=colour, linewidth=1.6)
    axes.plot(*film.truth[0, [0, other]], color=TRUTH, marker="o", markersize=3)
    axes.set(xlabel="x₁", ylabel=f"x{'₂₃'[other - 1]}")


def _channel(axes: Axes, film: Film, forecast: np.ndarray, colour: Any) -> None:
    low, high = film.truth[:, 0].min(), film.truth[:, 0].max()
    room = ROOM * (high - low) + 1e-12
    _series(axes, film, forecast, colour)
    axes.set(
        xlim=(0, film.times[-1]), ylim=(low - room, high + room), xlabel=f"time ({plural(film.timescale)})", ylabel="x₁"
    )
    sns.despine(ax=axes)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=3)


def _series(axes: Axes, film: Film, forecast: np.ndarray, colour: Any) -> None:
    axes.plot(film.times, film.data[:, 0], **dots(len(film.data)), label="data")
    axes.plot(film.times, film.truth[:, 0], color=TRUTH, linewidth=0.9, label="truth")
    axes.plot(film.times, forecast[:, 0], color=colour, linewidth=1.4, label=film.learner)
