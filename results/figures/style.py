"""How figures look: one colour, dash and marker for each learner everywhere, and how a figure is saved."""

import io
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from results.formatting import brief
from results.store.atomic import write_in_one_stroke

if TYPE_CHECKING:
    from pandas import DataFrame

FORMATS = ("pdf", "svg", "png")
PAGE = 7.0  # inches; the width of a figure across two columns
TRUTH = "black"
MOST_COLUMNS = 4  # of a legend
LINE = 0.16  # inches; of a legend, from one line to the next
TICKS = 7  # points; of the labels of ticks
NOTE = "0.35"  # of remarks inside a figure

# The colour-blind-safe palette without its grey, which is for reference rows, the strongest contrasts first.
_ORDER = (0, 1, 2, 3, 4, 9, 5, 6, 8)
_GREYS = ("0.62", "0.5", "0.7", "0.35", "0.2", "0.45")
# In turn, so that curves on top of each other are both seen, and told apart in grey.
_LINES = ("-", (0, (5, 1.3)), (0, (1.3, 0.9)), (0, (4, 1.1, 1.3, 1.1)), (0, (9, 1.3)), (0, (6, 1, 1, 1, 1, 1)))
_DASHES = ((0, (1, 1)), (0, (4, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (2.5, 1)), (0, (1, 2.5)), (0, (8, 2, 2, 2)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
_RULES = {
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.titlesize": 8,
    "axes.titlepad": 3,
    "figure.dpi": 200,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that every machine draws the same
    "font.size": 7.5,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "lines.linewidth": 1.2,
    "path.simplify_threshold": 0.2,
    "pdf.fonttype": 42,  # fonts are embedded as they are
    "svg.hashsalt": "dynamics-bench",  # the same data give the same bytes
    "xtick.labelsize": TICKS,
    "ytick.labelsize": TICKS,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
}


@dataclass(frozen=True)
class Look:
    """For what figures are saved: how much larger than on paper they are, and their text and lines besides."""

    size: float = 1.0
    weight: float = 1.0  # of text and lines
    resolution: int = 200  # of pixels, per inch
    columns: tuple[float, ...] = ()  # widths in inches that a figure may have; none: any
    width: float | None = None  # inches, that every figure has; None: as wide as it was made


LOOKS = {
    "paper": Look(columns=(3.39, 7.0)),  # 86 and 178 mm: columns of Physical Review, which fit Nature's 89 and 183
    "talk": Look(1.7, 1.9, 150),
    "screen": Look(1.3, 1.35, 144),
}
look: ContextVar[Look | None] = ContextVar("look", default=None)  # that figures are saved with


@dataclass(frozen=True)
class Style:
    """How one learner is drawn: in colour, or in grey where it is a reference row."""

    colour: Any
    dash: Any
    marker: str
    reference: bool

    @property
    def line(self) -> dict[str, Any]:
        order = 2 if self.reference else 3 if self.dash == "-" else 4  # what lies below is seen through the gaps
        return {
            "color": self.colour,
            "linestyle": self.dash,
            "linewidth": 1.0 if self.reference else 1.3,
            "zorder": order,
        }

    @property
    def point(self) -> dict[str, Any]:
        return {"color": self.colour, "marker": self.marker, "markersize": 4.5, "linestyle": "none"}


def styles(learners: Sequence[str], references: Collection[str]) -> dict[str, Style]:
    """A style for each label, by its place among the learners; from the tenth on, colours recur with other dashes."""
    colours = [sns.color_palette("colorblind")[place] for place in _ORDER]
    compared = [learner for learner in learners if learner not in references]
    yardsticks = [learner for learner in learners if learner in references]
    found = {}
    for place, (learner, marker) in enumerate(zip(compared, cycle(_MARKERS), strict=False)):
        again, colour = divmod(place, len(colours))
        dash = _LINES[place % 6] if again < 2 else _DASHES[again % 5]
        found[learner] = Style(colours[colour], dash, marker, reference=False)
    for place, (learner, marker) in enumerate(zip(yardsticks, cycle(_MARKERS), strict=False)):
        found[learner] = Style(_GREYS[place % 6], _DASHES[place % 6], marker, reference=True)
    return found


def present(styled: Mapping[str, Style], frame: "DataFrame") -> dict[str, Style]:
    """The styles of the learners that a frame has rows of."""
    found = set(frame["learner"].unique())
    return {learner: style for learner, style in styled.items() if learner in found}


def handles(styled: Mapping[str, Style], markers: bool = False) -> list[Line2D]:
    """What a legend shows for each learner: its line, or, with `markers`, the marker of those that are compared."""
    return [
        Line2D([], [], label=brief(learner), **(style.point if markers and not style.reference else style.line))
        for learner, style in styled.items()
    ]


def entry_width(labels: Iterable[str]) -> float:
    """Inches that the widest of these entries takes in a legend."""
    return 0.55 + 0.058 * max((len(brief(label)) for label in labels), default=0)


def legend_columns(labels: Collection[str], width: float) -> int:
    """How many entries of a legend stand side by side in so many inches."""
    return max(1, min(MOST_COLUMNS, len(labels), int(width / entry_width(labels))))


def legend_height(labels: Collection[str], width: float) -> float:
    """Inches that a legend takes below a figure of this width."""
    return LINE * -(-len(labels) // legend_columns(labels, width))


def legend_below(figure: Figure, shown: Sequence[Artist]) -> None:
    """A legend below everything else, no wider than the figure."""
    columns = legend_columns([str(each.get_label()) for each in shown], figure.get_figwidth())
    figure.legend(handles=list(shown), loc="outside lower center", ncols=columns)


@contextmanager
def drawing() -> Iterator[None]:
    """The style of all figures; in force while they are made and while they are saved."""
    _show_in_notebooks()
    rules: Any = {**sns.plotting_context("paper"), **sns.axes_style("ticks"), **_RULES}
    with mpl.rc_context(rules):
        yield


@cache
def _show_in_notebooks() -> None:
    """Have notebooks show a figure that a cell ends with, as they do once pyplot has made one."""
    if "ipykernel" in sys.modules:
        import_module("matplotlib_inline.backend_inline").set_matplotlib_formats("png")


@contextmanager
def looking(name: str = "", width: float | None = None) -> Iterator[None]:
    """Save figures as they should look on paper, in a talk or on a screen (see LOOKS) while the context is open.

    With a `width` in inches all of them are as wide as that, and as high as they would be.
    """
    token = look.set(replace(LOOKS[name] if name else Look(), width=width))
    try:
        yield
    finally:
        look.reset(token)


def adapt(figure: Figure, chosen: Look) -> None:
    """Change the size of a figure, of its text and of its lines to what a look asks for.

    A figure that is made narrower becomes lower, too, and its text smaller, each by the square root of that: half as
    wide, it has letters of 5.3 points, which journals take.
    """
    width, height = figure.get_size_inches()
    wide = next(
        (column for column in chosen.columns if column >= 0.9 * width), chosen.columns[-1] if chosen.columns else width
    )
    narrower = min(1.0, chosen.width / width) ** 0.5 if chosen.width else 1.0
    figure.set_size_inches(chosen.width or chosen.size * wide, chosen.size * height * narrower)
    figure.set_dpi(chosen.resolution)
    if narrower < 1:
        _break_legends(figure)
    weight = chosen.weight * narrower
    if weight == 1:
        return
    for text in figure.findobj(Text):
        text.set_fontsize(weight * float(text.get_fontsize()))
    for axes in figure.axes:
        axes.tick_params(which="both", labelsize=weight * TICKS)  # also of the ticks that are still to come
    for line in figure.findobj(Line2D):
        line.set_linewidth(weight * line.get_linewidth())
        line.set_markersize(weight * line.get_markersize())


def _break_legends(figure: Figure) -> None:
    """Break legends below a figure into as many lines as its width asks for, and make room for these."""
    for legend in figure.legends:
        if legend.get_window_extent().y0 > figure.bbox.height / 2:
            continue
        shown = list(legend.legend_handles)
        labels = [text.get_text() for text in legend.get_texts()]
        more = legend_height(labels, figure.get_figwidth()) - legend_height(labels, PAGE)
        if more > 0:
            legend.remove()
            legend_below(figure, [handle for handle in shown if handle is not None])
            figure.set_figheight(figure.get_figheight() + more)


def save(figure: Figure, folder: Path, name: str, formats: Sequence[str] = FORMATS) -> dict[str, Path]:
    """Write the figure as `folder/name.format`; the same data give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / f"{name}.{kind}" for kind in formats}
    with drawing():
        if chosen := look.get():
            adapt(figure, chosen)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        figure.set_layout_engine("none")  # the layout is settled: no need to find it again for each format
        for axes in figure.axes:  # a layout's last digits depend on the order in which its solver met the axes
            axes.set_position(Bbox(np.round(axes.get_position(original=True).get_points(), 9)), which="original")
        dpi = figure.dpi
        for kind, path in paths.items():
            if kind == "png":
                write_in_one_stroke(path, _picture(canvas))
            elif kind == "pdf":  # not by savefig, which draws once more to settle the layout
                FigureCanvasPdf(figure).print_pdf(path, metadata={"CreationDate": None})
            else:
                FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None})
            figure.set_dpi(dpi)  # which vector formats count in points
    return paths


def _picture(canvas: FigureCanvasAgg) -> bytes:
    """What was drawn as PNG, in a palette of 256 colours: a quarter of the bytes."""
    full, content = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"), io.BytesIO()
    reduced = full.quantize(method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    reduced.putpalette([255 if level > 252 else level for level in reduced.getpalette() or []])  # white stays white
    reduced.save(content, "png", dpi=(canvas.figure.dpi, canvas.figure.dpi))
    return content.getvalue()
