"""Tables: the leaderboard, and one table of all metrics for each system, from the long form of a run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from results.formatting import NOTHING, counted, heading, in_timescale, slug, status
from results.statistics.ranking import level_by_ranks, level_by_seeds, mean_rank
from results.statistics.saturation import saturation_note
from results.statistics.scores import INDEPENDENT_TRUTH
from results.statistics.trials import column, rows, summary
from results.store.manifest import LEADING_METRIC, leading_metric
from results.tables.table import Column, Table, outcomes_in, table_of

BOLD = "In bold the best of the compared learners and those not resolved from it, nothing where none is resolved"
BY_SEEDS = "Welch's test on the seeds with Holm's correction, 5 %"
ONE_SEED = "one seed resolves nothing: the best as printed"
BY_RANKS = "Nemenyi's test on ranks, 5 %"
SPENT = ("updates", "samples", "fit_seconds")  # on training: beside whatever compares learners
OVERALL = ("nrmse", "nfe_forecast", *SPENT, "parameters")  # on the leaderboard: medians over systems
ACCURACY = ("nrmse",)  # of these, what is no cost


def leaderboard(
    frame: pd.DataFrame,
    learners: Sequence[str],
    references: Sequence[str],
    timescales: Mapping[str, str],
    totals: pd.DataFrame | None = None,
) -> Table:
    """Every learner at a glance: mean rank, the leading metric on each system, and what it costs.

    `frame` is the long form of a run, `references` are those of the `learners` that are yardsticks, `timescales` name
    the unit of time of each system, and `totals` is the summary of the frame, where it is at hand.
    """
    totals = summary(frame) if totals is None else totals
    metrics = totals["metric"].unique()
    leading = leading_metric(metrics)
    compared = [learner for learner in learners if learner not in references]
    dashes, by_ranks = pd.Series(NOTHING, index=list(learners)), level_by_ranks(frame, leading, compared)
    columns = [Column("mean_rank", "mean rank", "", "lower", mean_rank(frame, compared, leading), dashes, by_ranks)]
    columns += _of_systems(rows(frame, metric=leading), rows(totals, metric=leading), compared, timescales)
    for metric in (name for name in OVERALL if name in metrics and name != leading):
        level = level_by_ranks(frame, metric, compared) if metric in ACCURACY else ()
        columns.append(_column(rows(frame, metric=metric), *_overall(rows(totals, metric=metric)), level))
    note = saturation_note(frame, compared) if leading == LEADING_METRIC else ""
    shown = "Valid prediction time (VPT)" if leading == LEADING_METRIC else heading(leading)
    caption = (
        f"{shown} on each system: median over seeds. "
        "Mean rank: over systems, among the compared learners, trials that failed in training or in the horizon of "
        f"the metric at the worst rank. {f'{note} ' if note else ''}"
        "Other columns: median over systems, a failed one counting as worse than any. "
        f"{'Neither is of learners that only some systems have. ' if columns[0].values.isna().any() else ''}"
        f"{BOLD}: on one system by {told_by(frame)}; over systems by {BY_RANKS}; costs as they are. "
        "Reference rows below the line."
    )
    return table_of("leaderboard", caption, columns, frame, learners, references)


def system_table(
    frame: pd.DataFrame,
    system: str,
    learners: Sequence[str],
    references: Sequence[str],
    timescale: str,
    group: str = "",
    metrics: Sequence[str] = (),
    totals: pd.DataFrame | None = None,
) -> Table:
    """The metrics of one group, or all, on one system, medians over seeds; other arguments as for `leaderboard`.

    What training took stands beside the metrics of every group. Learners that the system does not have are left out.
    """
    learners = [learner for learner in learners if learner not in _lacking(frame, system)]
    here, of_all = (rows(each, system=system) for each in (frame, summary(frame) if totals is None else totals))
    if metrics:
        here, of_all = (each.loc[each["metric"].isin([*metrics, *SPENT])] for each in (here, of_all))
    level = level_by_seeds(here, [learner for learner in learners if learner not in references])
    columns = []
    for metric in of_all["metric"].unique():
        one = rows(of_all, metric=metric).set_index("learner")
        trials = rows(here, metric=metric)
        shown = _column(trials, column(one, "median"), _reasons(one), level.get(metric, ()), timescale)
        chance = column(rows(trials, learner=INDEPENDENT_TRUTH), "value").dropna()
        if group == "long run" and metric not in SPENT and len(chance):
            shown = replace(shown, chance=(chance.quantile(0.25), chance.quantile(0.75)))
        columns.append(shown)
    caption = (
        f"{f'{group.capitalize()} metrics' if group else 'All metrics'} on {system}: medians over "
        f"{counted(column(here, 'seed').nunique(), 'seed')}. {BOLD} ({told_by(here)}). Reference rows below the line."
    )
    if any(each.chance for each in columns):
        caption += f" {INDEPENDENT_TRUTH}: the truth's own score, with quartiles over seeds where they differ."
    return table_of(f"{slug(system)}-{group}".rstrip("-"), caption, columns, here, learners, references)


def metric_table(
    frame: pd.DataFrame, metric: str, learners: Sequence[str], references: Sequence[str], timescales: Mapping[str, str]
) -> Table:
    """One metric on every system, medians over seeds; other arguments as for `leaderboard`."""
    trials = rows(frame, metric=metric)
    compared = [learner for learner in learners if learner not in references]
    seeds = counted(column(trials, "seed").nunique(), "seed")
    caption = f"Medians over {seeds}. {BOLD} ({told_by(trials)}). Reference rows below the line."
    columns = list(_of_systems(trials, summary(trials), compared, timescales))
    return table_of(metric, caption, columns, trials, learners, references)


def told_by(trials: pd.DataFrame) -> str:
    """What resolves learners on one system."""
    return BY_SEEDS if column(trials, "seed").nunique() > 1 else ONE_SEED


def outcome_table(
    frame: pd.DataFrame, learners: Sequence[str], references: Sequence[str], systems: Sequence[str]
) -> Table:
    """How the trials of every learner ended on every system: where each of them breaks."""
    nothing = pd.Series(np.nan, index=list(learners))
    ended = {
        system: outcomes_in(rows(frame, system=system), learners) | dict.fromkeys(_lacking(frame, system), NOTHING)
        for system in systems
    }
    columns = [Column(slug(system), system, "", "", nothing, pd.Series(words)) for system, words in ended.items()]
    caption = "How the trials of each learner ended on each system; reference rows below the line."
    return table_of("outcomes", caption, columns, frame, learners, references)


def _of_systems(
    trials: pd.DataFrame, totals: pd.DataFrame, compared: Sequence[str], timescales: Mapping[str, str]
) -> Iterator[Column]:
    """A column of each system, of one metric."""
    for system, timescale in timescales.items():
        here, there = rows(totals, system=system).set_index("learner"), rows(trials, system=system)
        words = pd.Series({**dict.fromkeys(_lacking(trials, system), NOTHING), **_reasons(here)}, dtype=object)
        level = level_by_seeds(there, compared).get(str(trials["metric"].iloc[0]), set())
        measured = there if len(there) else trials
        yield _column(measured, column(here, "median"), words, level, timescale, system)


def _lacking(frame: pd.DataFrame, system: str) -> list[str]:
    """The learners that a system does not have, as `attrs` of the frame of a run say."""
    return frame.attrs.get("lacks", {}).get(system, [])


def _column(
    trials: pd.DataFrame,
    values: pd.Series,
    words: pd.Series,
    level: Collection[str],
    timescale: str = "timescale",
    system: str = "",
) -> Column:
    """The column of the metric of these trials; of one system of several, it has its name."""
    metric, unit, better = (str(trials[name].iloc[0]) for name in ("metric", "unit", "better"))
    head = f"{heading(metric)} {system}".strip()
    unit = in_timescale(unit, timescale)
    truth = trials.attrs.get("published", {}).get(trials["system"].iloc[0], {}).get(metric, np.nan)
    return Column(f"{metric}_{system}" if system else metric, head, unit, better, values, words, level, truth)


def _reasons(totals: pd.DataFrame) -> pd.Series:
    """What stands where there is no value: why, or a dash where the metric says nothing about the learner."""
    return column(totals, "status").map(lambda name: NOTHING if name == "ok" else status(name))


def _overall(totals: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Median over systems of a metric that is better when lower, with a system on which it failed as the worst.

    None of learners that fewer systems have than others.
    """
    totals = totals.assign(
        median=column(totals, "median").mask((totals["n"] == 0) & (totals["status"] != "ok"), np.inf)
    )
    median = pd.Series(totals.groupby("learner")["median"].median())
    systems = pd.Series(totals.groupby("learner")["system"].nunique())
    median = median.where(systems == systems.max())
    failed = pd.Series(np.isposinf(median), index=median.index)
    return median.where(~failed), failed.map({True: "failed", False: NOTHING})
