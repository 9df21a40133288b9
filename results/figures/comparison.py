"""Figures of comparisons: critical differences, profiles, win matrices, Pareto fronts, means over all systems."""

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from results.figures.panels import Styles, few_ticks, intervals, names_beside
from results.figures.style import NOTE, PAGE, drawing, entry_width, handles, legend_below, legend_height, present
from results.formatting import brief, plural, wrapped
from results.statistics.pareto import front
from results.statistics.ranking import Ranking
from results.statistics.trials import rows

COLUMN = 3.4  # inches; the width of a figure in one column
LEGIBLE = 24  # learners up to which a matrix has numbers
LETTER = 0.066  # inches; of a title, about
SHARES = "prediction time, share of the best learner's; dots: best, or level with it"


def critical_difference(ranking: Ranking, styles: Styles) -> Figure:
    """Mean ranks on one axis, the best on the left; bars join learners that the systems cannot tell apart."""
    ranks, groups = ranking.mean_ranks, ranking.groups
    count = len(ranks)
    half = -(-count // 2)
    lowest = -(0.9 + 0.42 * len(groups))
    width = PAGE * 0.75
    beside = max(0.02, entry_width([str(learner) for learner in ranks.index]) / width - 0.25)  # for names that are long
    with drawing():
        size = (width * (0.96 + 2 * beside), 0.75 + 0.12 * len(groups) + 0.19 * half)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.set(xlim=(-beside, 1 + beside), ylim=(lowest - 0.8 * half, 1.9), xticks=[], yticks=[])
        axes.axis("off")
        axes.plot(_across(np.array([1, count]), count), [0, 0], color="black", linewidth=0.8)
        for rank in range(1, count + 1):
            axes.plot(_across(np.array([rank, rank]), count), [0, 0.18], color="black", linewidth=0.6)
            axes.text(_across(rank, count), 0.35, f"{rank}", ha="center", fontsize=7)
        if np.isfinite(ranking.difference):
            ends = _across(np.array([1.0, 1.0 + ranking.difference]), count)
            axes.errorbar(ends.mean(), 1.2, xerr=np.ptp(ends) / 2, color="black", capsize=2.5, linewidth=0.8)
            said = f"critical difference {ranking.difference:.2f}"
            axes.text(ends.mean(), 1.4, said, ha="center", fontsize=6.5)
        for place, group in enumerate(groups):
            ends = _across(np.array([ranks[group[0]], ranks[group[-1]]]), count) + np.array([-0.006, 0.006])
            axes.plot(ends, [-0.45 - 0.42 * place] * 2, color="0.25", linewidth=2.6, solid_capstyle="butt")
        for place, (learner, rank) in enumerate(ranks.items()):
            left = place < half
            level = lowest - 0.8 * (place if left else count - 1 - place)
            said = [brief(str(learner)), f"{rank:.2f}"]
            text = "  ".join(said if left else reversed(said))
            x, edge = float(_across(rank, count)), 0.25 if left else 0.75
            axes.plot([x, x, edge], [0, level, level], color="0.35", linewidth=0.6)
            axes.plot(x, 0, **(styles[str(learner)].point | {"markersize": 4, "zorder": 5, "clip_on": False}))
            beside_it = {"ha": "right" if left else "left", "va": "center", "fontsize": 7}
            axes.text(edge + (-0.008 if left else 0.008), level, text, **beside_it)
    return figure


def performance_profile(profile: pd.DataFrame, styles: Styles, label: str = "ratio to the best loss") -> Figure:
    """Share of the trials that a learner brings within a ratio of the best one: higher, and sooner, is better.

    `profile` has the columns `learner`, `ratio` and `share`.
    """
    shown = present(styles, profile)
    with drawing():
        below = legend_height(list(shown), COLUMN)
        figure = Figure(figsize=(COLUMN, 2.0 + below), layout="constrained")
        axes = figure.subplots()
        for learner, style in shown.items():
            curve = rows(profile, learner=learner)
            axes.step(curve["ratio"], curve["share"], where="post", **style.line)
            marks = curve.iloc[:: max(1, len(curve) // 6)]
            axes.plot(marks["ratio"], marks["share"], **{**style.point, "markersize": 3})
        axes.set(xscale="log", ylim=(-0.02, 1.03), xlabel=label, ylabel="share of trials")
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.margins(x=0.02)
        few_ticks(axes)
        sns.despine(figure)
        legend_below(figure, handles(shown))
    return figure


def win_matrix(wins: pd.DataFrame, pairs: int | None = None) -> Figure:
    """How often the learner of a row beats that of a column, from 0 to 100 %; ties count half.

    The text says what the shade says, so that neither colour nor grey is needed to read it; but of too many learners,
    whose matrix is a view from afar.
    """
    names, longest, lines = names_beside(map(str, wins.index))
    count = len(names)
    with drawing():
        side = max(0.3 if count <= LEGIBLE else 0.16, 0.16 * lines) * count  # so that names below it keep apart
        size = (side + 0.075 * longest + 0.9, side * 0.8 + 0.055 * longest + 0.5)
        figure = Figure(figsize=size, layout="constrained")
        axes = sns.heatmap(
            100 * wins.astype(float), vmin=0, vmax=100, cmap="Blues", annot=count <= LEGIBLE, fmt=".0f",
            annot_kws={"fontsize": 6.5}, xticklabels=names, yticklabels=names, ax=figure.subplots(),
            cbar_kws={"shrink": 0.8, "format": PercentFormatter(symbol=" %"), "ticks": [0, 50, 100]},
        )  # fmt: skip
        axes.set(xlabel="", ylabel="")
        axes.tick_params(length=0)
        axes.tick_params(axis="y", rotation=0)
        axes.set_xticks(axes.get_xticks(), names, rotation=40, ha="right", rotation_mode="anchor")
        figure.suptitle("row beats column" + (f", {pairs} paired trials" if pairs else ""), fontsize=8)
    return figure


def wins_by_system(shares: pd.DataFrame, level: pd.DataFrame) -> Figure:
    """Which learner wins where: the share of the best one's score, a line a learner and a column a system.

    A dot marks the best of each system and those level with it, as `level` (of the same shape) says; a place without a
    value is hatched.
    """
    names, longest, lines = names_beside(map(str, shares.index))
    systems, tallest, deep = names_beside(map(str, shares.columns))
    with drawing():
        beside = 0.075 * longest + 0.9
        side = min(max(0.3, 0.1 * deep), (PAGE - beside) / len(systems))
        width = side * len(systems) + beside
        title = fill(SHARES, max(1, int(width / LETTER)))
        height = (0.1 + 0.1 * lines) * len(names) + 0.05 * tallest + 0.6 + 0.12 * (1 + title.count("\n"))
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        axes.set_facecolor("0.93")
        sns.heatmap(
            100 * shares.astype(float), vmin=0, vmax=100, cmap="Blues", xticklabels=systems, yticklabels=names, ax=axes,
            linewidths=0.4, cbar_kws={"shrink": 0.8, "format": PercentFormatter(symbol=" %"), "ticks": [0, 50, 100]},
        )  # fmt: skip
        places, columns = np.nonzero(level.to_numpy(dtype=bool))
        dark = shares.to_numpy(dtype=float)[places, columns] > 0.6
        axes.scatter(columns + 0.5, places + 0.5, s=7, c=np.where(dark, "white", "black"), linewidths=0)
        axes.set(xlabel="", ylabel="")
        axes.tick_params(length=0)
        axes.tick_params(axis="y", rotation=0)
        axes.set_xticks(axes.get_xticks(), systems, rotation=60, ha="right", rotation_mode="anchor", fontsize=6)
        figure.suptitle(title, fontsize=8)
    return figure


def pareto_page(
    points: pd.DataFrame, styles: Styles, costs: Mapping[str, str], timescales: Mapping[str, str]
) -> Figure:
    """Prediction time against every cost on one page: a line of panels a system, a column a cost; a stair is the front.

    `points` has `system`, `learner`, `loss`, the costs, and `median`, `low` and `high` of the prediction time; `costs`
    names the columns and what is written below them. Reference rows are levels, as far as the panel reaches.
    """
    systems, shown = list(dict.fromkeys(points["system"])), present(styles, points)
    with drawing():
        height = 1.35 * len(systems) + 0.4 + legend_height(list(shown), PAGE)
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        scale = {"xscale": "log"}
        grid = figure.subplots(len(systems), len(costs), squeeze=False, sharey="row", sharex="col", subplot_kw=scale)
        for line, system in enumerate(systems):
            here = rows(points, system=system)
            is_level = here["learner"].isin([name for name, style in shown.items() if style.reference])
            levels, mine = here.loc[is_level], here.loc[~is_level]
            for place, (cost, label) in enumerate(costs.items()):
                axes = grid[line, place]
                for learner, median in zip(levels["learner"], levels["median"], strict=True):
                    axes.axhline(median, **shown[learner].line)
                _front(axes, mine, cost, shown)
                axes.margins(0.12)
                if line == len(systems) - 1:
                    axes.set_xlabel(label)
            grid[line, 0].set_ylim(0, 1.2 * np.nanmax([1e-9, *mine["median"], *mine["high"]]))
            grid[line, 0].set_ylabel(f"{wrapped(system, 22)}\nVPT ({plural(timescales[system])})")
        for axes in grid.flat:
            few_ticks(axes)
        sns.despine(figure)
        legend_below(figure, handles(shown, markers=True))
    return figure


def _across(rank: Any, count: int) -> Any:
    """Place of a rank on the axis, which leaves room for names on both sides."""
    return 0.27 + 0.46 * (rank - 1) / max(count - 1, 1)


def _front(axes: Axes, points: pd.DataFrame, cost: str, styles: Styles) -> None:
    """The learners of one system, filled on the front of loss and this cost, hollow behind it, and the stair."""
    here = points.loc[(points[cost] > 0) & np.isfinite(points["median"])]
    if not len(here):
        return
    ahead = front(here[["loss", cost]].to_numpy(dtype=float))
    for row, first in zip(here.to_dict("records"), ahead, strict=True):
        look: dict[str, Any] = (
            styles[str(row["learner"])].point | {"zorder": 4} | ({} if first else {"markerfacecolor": "white"})
        )
        axes.plot([row[cost]] * 2, [row["low"], row["high"]], color=look["color"], linewidth=0.8)
        axes.plot(row[cost], row["median"], **look)
    stair = here.loc[ahead].sort_values(cost)
    axes.step(stair[cost], stair["median"], where="post", color=NOTE, linewidth=0.7, zorder=2)


def aggregate_figure(together: pd.DataFrame, styles: Styles) -> Figure:
    """Draw interquartile means beside the chance of improving upon the best, with 95 % intervals, a line a learner.

    `together` has a row for each learner, the best first, with the columns of `report.comparison.aggregated`.
    """
    ordered = {learner: styles[learner] for learner in together["learner"]}
    _, _, lines = names_beside(ordered)
    with drawing():
        figure = Figure(figsize=(PAGE, 0.87 + (0.07 + 0.1 * lines) * len(together)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        intervals(left, together, ("low", "mean", "high"), ordered)
        intervals(right, together, ("chance_low", "chance", "chance_high"), ordered)
        left.set(xlabel="interquartile mean of\nVPT / longest", xlim=(0, None))
        right.set(xlabel="chance of predicting longer\nthan the topmost", xlim=(-0.03, 1.03))
        right.axvline(0.5, color=NOTE, linewidth=0.6, zorder=1)
        for axes in (left, right):
            axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        sns.despine(figure)
    return figure
