"""The figures that set learners against each other: ranks, wins, Pareto fronts, profiles, means over all systems."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from results.figures.comparison import (
    aggregate_figure,
    critical_difference,
    pareto_page,
    performance_profile,
    win_matrix,
    wins_by_system,
)
from results.formatting import listed
from results.report.conclusions import winners
from results.report.figure_data import FigureData, Picture
from results.statistics.intervals import Estimate, interquartile_mean, probability_of_improvement, stratified
from results.statistics.pareto import COSTS, points
from results.statistics.ranking import paired_losses, ranking
from results.statistics.ranking import performance_profile as shares
from results.statistics.ranking import win_matrix as shares_of_wins
from results.statistics.saturation import saturated
from results.statistics.scores import losses
from results.statistics.trials import CELL, column, groups
from results.store.manifest import LEADING_METRIC

FEWEST = 3  # learners, and systems, below which ranks say nothing
FEWEST_TOGETHER = 2  # learners below which means over all systems say nothing
FARTHEST = 10.0  # ratio to the best that a profile shows


def rank_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of ranks and wins, where there are learners and systems enough that are not variants of others."""
    run, frame = data.run, data.frame
    if run.variants or min(len(run.compared), len(run.timescales)) < FEWEST or LEADING_METRIC not in run.metrics:
        return
    ranks = ranking(frame, run.compared)
    if len(ranks.learners) >= FEWEST and ranks.blocks >= FEWEST:
        yield Picture(
            "ranks",
            "Ranks and what they resolve",
            "Mean rank of each learner over the systems by valid prediction time, failed trials at the worst rank. "
            "Bars join learners that Nemenyi's test at 5 % cannot tell apart. "
            f"{ranks.statement} Wilcoxon's signed ranks of the systems, with Holm's correction, resolve "
            f"{ranking(frame, run.compared, test='wilcoxon').beyond(ranks)}.{without(ranks.left_out)}",
            partial(critical_difference, ranks, data.styles),
        )
        told, note = telling(frame, run.compared)
        pairs = paired_losses(told, ranks.learners)
        if len(pairs):
            yield Picture(
                "wins",
                "Who beats whom",
                "Share of the trials (system and seed) in which the learner of a row predicts longer than that of a "
                f"column; ties count half.{note}{without(ranks.left_out)}",
                partial(win_matrix, shares_of_wins(pairs), len(pairs)),
            )


def where_pictures(data: FigureData) -> Iterator[Picture]:
    """The figure of which learner wins on which system, where there are several of both."""
    run = data.run
    times = data.prediction_times.loc[data.prediction_times["learner"].isin(run.compared)]
    if run.variants or min(len(run.compared), len(run.timescales)) < FEWEST or LEADING_METRIC not in run.metrics:
        return
    medians = times.pivot(index="learner", columns="system", values="median")
    shares = shares_of_the_longest(medians).reindex(index=run.compared, columns=list(run.timescales))
    best = winners(data.prediction_times, run.compared, run.timescales)
    level = pd.DataFrame(False, index=shares.index, columns=shares.columns)
    is_single = len(run.manifest["seeds"]) == 1  # which has no intervals
    for winner in best:
        level.loc[[winner.learner, *(() if is_single else winner.level)], winner.system] = True
    marked = "the longest, of a single seed" if is_single else "the longest and all whose 95 % intervals reach it"
    yield Picture(
        "wins_by_system",
        "Who wins where",
        "Valid prediction time of each learner on each system, as a share of the longest there, medians over seeds. "
        f"Dots mark {marked}; grey is a learner without a value.",
        partial(wins_by_system, shares, level),
    )


def shares_of_the_longest(medians: pd.DataFrame) -> pd.DataFrame:
    """Each time over the longest of its column: 0 where that is none at all, NaN where there is no time."""
    return medians / medians.max().replace(0.0, 1.0)


def front_pictures(data: FigureData) -> Iterator[Picture]:
    """The figure of prediction times against costs, where there is anything to draw."""
    run = data.run
    costs = {cost: label for cost, label in COSTS.items() if cost in run.metrics}
    frame, note = telling(data.frame, run.compared)
    times = data.prediction_times.dropna(subset="median")
    if LEADING_METRIC not in run.metrics or not costs or not len(frame):
        return
    found = points(frame, LEADING_METRIC, tuple(costs)).drop(columns="value").merge(times, on=CELL)
    mine = found.loc[found["learner"].isin(run.compared), list(costs)]
    if len(mine):
        free = (
            " A learner is not in the panel of a cost that it does not have."
            if (mine.fillna(0) <= 0).any(axis=None)
            else ""
        )
        yield Picture(
            "pareto",
            "Accuracy against every cost",
            "Valid prediction time, with 95 % intervals, against function evaluations, memory, time and size, medians "
            "over seeds: up and to the left is better. Learners on a stair are beaten by no other in both; reference "
            f"rows are levels across the panels, as far as these reach.{free}{note}",
            partial(pareto_page, found, data.styles, costs, run.timescales),
        )


def aggregate_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of a run that has prediction times of several learners; none of any other run, nor of a sweep."""
    run, frame = data.run, data.frame
    if run.variants or LEADING_METRIC not in run.metrics or len(run.compared) < FEWEST_TOGETHER:
        return
    frame, note = telling(frame, run.compared)
    whole = everywhere(frame, run.compared)
    if len(whole) < FEWEST_TOGETHER:
        return
    note += without([learner for learner in run.compared if learner not in whole])
    together = aggregated(frame, whole)
    best = str(together.iloc[0]["learner"])
    yield Picture(
        "aggregates",
        "All systems together",
        "Left: interquartile mean over all trials of the valid prediction time, as a share of the longest median "
        "on its system; a failed trial counts as none. Right: how probable it is that a trial predicts longer than "
        f"one of {best} on a system drawn at random. 95 % bootstrap intervals, stratified by system, where there "
        f"are trials enough for one; an interval that holds 50 % resolves nothing.{note}",
        partial(aggregate_figure, together, data.styles),
    )
    paired = paired_losses(frame, whole).dropna()
    inverse = 1 / (-paired).clip(lower=0).replace(0, np.nan)
    profiled = inverse.fillna(np.inf).loc[lambda table: np.isfinite(table).any(axis="columns")]
    if len(profiled):
        ratios = np.geomspace(1, FARTHEST, 200).tolist()
        yield Picture(
            "performance_profile",
            "Performance profiles",
            f"Share of the {len(profiled)} paired trials (system and seed) in which a learner's valid prediction time "
            "is within a factor of the longest of that trial: higher, and sooner, is better. A failed trial is never "
            f"within any.{note}",
            partial(performance_profile, shares(profiled, ratios), data.styles, "factor to the longest VPT"),
        )


def telling(frame: pd.DataFrame, learners: list[str]) -> tuple[pd.DataFrame, str]:
    """The rows of the systems on which prediction times tell learners apart, and a sentence on the others."""
    full = saturated(frame, learners)
    note = f" Without {listed(full)}, where all of them predict up to the horizon." if full else ""
    return frame.loc[~frame["system"].isin(full)], note


def everywhere(frame: pd.DataFrame, learners: Sequence[str]) -> list[str]:
    """The learners that have trials on every system on which any of them has."""
    trials = losses(frame, LEADING_METRIC)
    trials = trials.loc[trials["learner"].isin(list(learners))]
    systems = trials.groupby("learner")["system"].nunique()
    return [learner for learner in learners if systems.get(learner) == trials["system"].nunique()]


def without(learners: Sequence[str]) -> str:
    """A sentence on learners that a figure leaves out; empty where there is none."""
    return f" Without {listed(learners)}, which only some systems have." if learners else ""


def aggregated(frame: pd.DataFrame, learners: list[str]) -> pd.DataFrame:
    """A row for each of these learners, all of which have trials on every system, the best first, with both intervals.

    Columns `learner`, `mean`, `low`, `high` of the interquartile mean, and `chance`, `chance_low`, `chance_high` of
    improving upon the learner of the first row (NaN for itself).
    """
    trials = losses(frame, LEADING_METRIC)
    trials = trials.loc[trials["learner"].isin(learners)]
    systems = list(trials["system"].unique())
    by_cell = {place: column(mine, "loss").to_numpy() for place, mine in groups(trials, "system", "learner")}
    times = {place: np.clip(-loss, 0, None) for place, loss in by_cell.items()}
    longest = {system: longest_time([times[system, learner] for learner in learners]) for system in systems}
    shares = {learner: [times[system, learner] / longest[system] for system in systems] for learner in learners}
    means = {learner: stratified(strata, interquartile_mean) for learner, strata in shares.items()}
    order = sorted(learners, key=lambda learner: -means[learner].value)
    rows = []
    for learner in order:
        pairs = ([by_cell[system, name] for system in systems] for name in (learner, order[0]))
        chance = probability_of_improvement(*pairs) if learner != order[0] else Estimate(np.nan)
        mean = means[learner]
        rows.append(
            {"learner": learner, "mean": mean.value, "low": mean.low, "high": mean.high}
            | {"chance": chance.value, "chance_low": chance.low, "chance_high": chance.high}
        )
    return pd.DataFrame(rows)


def longest_time(times: Sequence[np.ndarray]) -> float:
    """The longest median of several learners' times on a system; the longest time where that is none, and 1 of none."""
    return max(float(np.median(one)) for one in times) or max(float(one.max()) for one in times) or 1.0
