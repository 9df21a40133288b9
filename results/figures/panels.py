"""Figures with a panel for each system: their grid, their titles and legend, and what is drawn alike in many."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator

from results.figures.style import LINE, PAGE, Style, entry_width, legend_below, legend_height
from results.formatting import wrapped
from results.statistics.trials import rows

LONG = 1e4  # numbers from here on are labelled in thousands, millions, ...
NAME = 40  # characters of a line of a learner's name beside a panel
LETTER = 0.085  # inches of a panel for each character of a line of its title

Styles = Mapping[str, Style]


def small_multiples(
    count: int, across: int, size: tuple[float, float], around: tuple[float, float] = (0, 0), **shared: Any
) -> tuple[Figure, list[Axes]]:
    """Make a figure with so many panels of this size, in lines of at most `across`, with room `around` all, in inches.

    `shared` is for `Figure.subplots`.
    """
    columns = min(across, max(1, count))
    lines = max(1, -(-count // columns))
    extent = columns * size[0] + around[0], lines * size[1] + around[1]
    figure = Figure(figsize=extent, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, **shared)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return figure, list(grid.flat[:count])


def panels_of(
    frame: pd.DataFrame, legend: Collection[str] = (), height: float = 1.9, share: bool = False
) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure with a panel for each system that has rows, three in a line.

    Room is left for the `legend` that `finish` will add. `height` is that of one panel in inches; `share` gives all of
    them the same vertical axis.
    """
    systems = [str(system) for system in dict.fromkeys(frame["system"])]
    columns = min(3, max(1, len(systems)))
    width = PAGE * min(1, 0.3 + 0.35 * columns)
    inside = len(systems) % columns and _fits(legend, width / columns, height)
    below = 0.0 if inside or not legend else legend_height(legend, width)
    titles = LINE * max((_title(system, width / columns).count("\n") for system in systems), default=0)
    figure, panels = small_multiples(len(systems), 3, (width / columns, height + titles), (0, below), sharey=share)
    return figure, dict(zip(systems, panels, strict=True))


def finish(figure: Figure, panels: Mapping[str, Axes], label: str | None, shown: Sequence[Line2D] = ()) -> None:
    """Add titles, one label on the left, and the legend: in the last place if it is free and fits, below if not."""
    sns.despine(figure)
    for system, axes in panels.items():
        place = axes.get_subplotspec()
        across = place.get_gridspec().ncols if place else 1
        axes.set_title(_title(system, figure.get_figwidth() / across))
        if label is not None and place and place.is_first_col():
            axes.set_ylabel(label)
    if not shown:
        return
    last, grid = figure.axes[-1], figure.axes[0].get_gridspec()
    width, height = figure.get_size_inches()
    names = [str(each.get_label()) for each in shown]
    if grid and len(panels) < len(figure.axes) and _fits(names, width / grid.ncols, height / grid.nrows):
        last.legend(handles=list(shown), loc="center")
    else:
        legend_below(figure, shown)


def _title(system: str, width: float) -> str:
    """The title of a panel of this width in inches, in as many lines as it takes."""
    return wrapped(system, int(width / LETTER))


def _fits(legend: Collection[str], width: float, height: float) -> bool:
    """Whether a legend finds room in a panel of this size."""
    return entry_width(legend) <= width and LINE * len(legend) <= height


def by_learner(frame: pd.DataFrame, system: str, styles: Styles) -> Iterator[tuple[Style, pd.DataFrame]]:
    """The style of each learner that has rows on one system, and these rows, in the order of the styles."""
    for learner, style in styles.items():
        found = rows(frame, system=system, learner=learner)
        if len(found):
            yield style, found


def band(axes: Axes, x: Any, low: Any, high: Any, style: Style) -> None:
    """Shade what lies between two curves."""
    axes.fill_between(x, low, high, color=style.colour, alpha=0.12, linewidth=0)


def over_seeds(axes: Axes, points: pd.DataFrame, x: str, y: str, style: Style) -> None:
    """Draw a learning curve: the median over seeds at each update, with the band between the lowest and the highest."""
    groups = points.groupby("update")
    middle = groups[x].median()
    axes.plot(middle, groups[y].median(), **style.line)
    band(axes, middle, groups[y].min(), groups[y].max(), style)


def intervals(axes: Axes, frame: pd.DataFrame, names: tuple[str, str, str], styles: Styles) -> None:
    """Draw a point with its interval for each learner, one below the other; nothing where there is no value.

    `names` are the columns of the low end, the value and the high end; both ends are NaN where there is no interval.
    """
    order = list(styles)
    sns.pointplot(
        frame.melt("learner", names).dropna(subset="value"), x="value", y="learner", order=order, hue="learner",
        hue_order=order, palette={learner: style.colour for learner, style in styles.items()}, legend=False,
        markers=[style.marker for style in styles.values()], markersize=3.4, linestyle="none", ax=axes,
        estimator="median", errorbar=("pi", 100), err_kws={"linewidth": 0.9}, capsize=0.3,
    )  # fmt: skip
    axes.set_yticks(range(len(order)), names_beside(order)[0])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="0.92", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set(ylim=(len(order) - 0.5, -0.5), ylabel="")


def names_beside(labels: Iterable[str]) -> tuple[list[str], int, int]:
    """Names in lines that leave a panel beside them room; the length of the longest line, and the most lines of one."""
    names = [wrapped(label, NAME) for label in labels]
    lines = [name.split("\n") for name in names]
    return names, max(len(line) for each in lines for line in each), max(map(len, lines))


def few_ticks(axes: Axes) -> None:
    """Put labels at 1, 2 and 5 on logarithmic axes that are short, at powers of ten on long ones; 20k for 20000."""
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            low, high = np.log10(axis.get_view_interval())
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high - low < 2 else (1,), numticks=6))
            axis.set_minor_locator(NullLocator())
            if high - low < 3:
                axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}" if x < LONG else EngFormatter(sep="")(x)))
