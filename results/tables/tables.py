"""Tables: the leaderboard, and one table of all metrics for each system, from the long form of a run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from results.formatting import ABSENT, BYTES, NOTHING, heading, in_bytes, outcome, slug, status, three_digits
from results.statistics.ranking import mean_rank
from results.statistics.scores import GROUND_TRUTH
from results.statistics.ties import level_by_ranks, level_by_seeds
from results.statistics.trials import LEADING_METRIC, column, leading_metric, rows, summary

BOLD = "In bold the best of the compared learners and those not resolved from it, nothing where none is resolved"
BY_SEEDS = "Welch's test on the seeds with Holm's correction, 5 %"
BY_RANKS = "Nemenyi's test on ranks, 5 %"
OVERALL = ("nrmse", "nfe_forecast", "fit_seconds", "parameters")  # on the leaderboard: medians over systems
ACCURACY = ("nrmse",)  # of these, what is no cost


@dataclass(frozen=True)
class Column:
    """One column: its name in CSV, its head and unit in print, and which values are better ("" where none is)."""

    name: str
    head: str
    unit: str = ""
    better: str = ""

    def printed(self, values: pd.Series) -> pd.Series:
        """The values in print; a column of whole numbers has no decimals."""
        if self.unit in BYTES:
            return values.map(in_bytes, na_action="ignore")
        whole = bool((values.dropna() % 1 == 0).all())
        return values.map(lambda value: three_digits(value, whole), na_action="ignore")

    @property
    def printed_unit(self) -> str:
        """Empty where there is none, or where every entry carries its own."""
        return "" if self.unit in ("1", *BYTES) else self.unit.replace(" / ", "/")


@dataclass(frozen=True)
class Entry:
    """One place of a table in print."""

    text: str
    best: bool  # of its column, among the compared learners
    words: bool  # instead of a number
    value: float | None  # the number itself, where there is one


@dataclass(frozen=True)
class Row:
    """One line of a table in print."""

    learner: str
    reference: bool
    entries: tuple[Entry, ...]
    outcome: str


@dataclass(frozen=True)
class Table:
    """Learners in rows, the compared ones first and the reference rows below them.

    `values` are raw numbers, NaN where there are none; `words` are what is printed in such places; `outcomes` say how
    many trials of each learner failed, and how; `level` names the learners of a column that its best is not resolved
    from.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    values: pd.DataFrame
    words: pd.DataFrame
    outcomes: Mapping[str, str]
    references: tuple[str, ...]
    level: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Head and unit of each column, of the learner's and the outcome's too."""
        return [("learner", ""), *((each.head, each.printed_unit) for each in self.columns), ("outcome", "")]

    @property
    def rows(self) -> Iterator[Row]:
        printed, best = self.printed, self.best
        for place, learner in enumerate(self.outcomes):
            line = zip(printed.iloc[place], best.iloc[place], self.values.iloc[place], strict=True)
            entries = tuple(
                Entry(text, bool(first), bool(np.isnan(value)) and text != NOTHING, None if np.isnan(value) else value)
                for text, first, value in line
            )
            yield Row(learner, learner in self.references, entries, self.outcomes[learner])

    @cached_property
    def printed(self) -> pd.DataFrame:
        """What is printed: numbers to three digits, words where there is no number."""
        columns = {each.name: each.printed(column(self.values, each.name)) for each in self.columns}
        return pd.DataFrame(columns, index=self.values.index, dtype=object).fillna(self.words)

    @cached_property
    def best(self) -> pd.DataFrame:
        """Where the best value of each column stands, and those level with it; equal in print is equal."""
        printed = self.printed
        best = pd.DataFrame(False, index=printed.index, columns=printed.columns)
        for each in self.columns:
            loss = self._loss(each).drop(list(self.references)).dropna()
            level = loss.index.isin(list(self.level.get(each.name, ())))
            if len(loss) and not level.all():
                winner = printed.loc[loss.idxmin(), each.name]
                best.loc[loss.index, each.name] = (printed.loc[loss.index, each.name] == winner) | level
        return best

    def _loss(self, one: Column) -> pd.Series:
        """What the best value has least of; NaN where no value is better than another."""
        values = column(self.values, one.name)
        if one.better == "truth":
            return (values - values.get(GROUND_TRUTH, np.nan)).abs()
        return values * {"lower": 1.0, "higher": -1.0}.get(one.better, np.nan)


def leaderboard(
    frame: pd.DataFrame,
    learners: Sequence[str],
    references: Sequence[str],
    timescales: Mapping[str, str],
    totals: pd.DataFrame | None = None,
) -> Table:
    """Every learner at a glance: mean rank, the leading metric on each system, and what it costs.

    `frame` is the long form of a run, `learners` all labels in order, of which `references` are yardsticks,
    `timescales` the name of the unit of time of each system, and `totals` the summary of the frame where it is known.
    """
    ordered, totals = _ordered(learners, references), summary(frame) if totals is None else totals
    metrics = dict.fromkeys(totals["metric"])
    leading = leading_metric(metrics)
    compared = [learner for learner in ordered if learner not in references]
    ranks = mean_rank(frame, compared, leading)
    level: dict[str, Collection[str]] = {"mean_rank": level_by_ranks(frame, leading, compared)}
    columns, values = [Column("mean_rank", "mean rank", better="lower")], [ranks]
    words = [pd.Series(NOTHING, index=ordered)]
    trials = rows(frame, metric=leading)
    for system, timescale in timescales.items():
        one = _column(trials, leading, timescale)
        here = rows(totals, system=system, metric=leading).set_index("learner")
        columns.append(Column(f"{leading}_{system}", f"{one.head} {system}", one.unit, one.better))
        level[columns[-1].name] = level_by_seeds(rows(trials, system=system), compared).get(leading, set())
        values.append(column(here, "median"))
        words.append(_reasons(here))
    for metric in (name for name in OVERALL if name in metrics and name != leading):
        median, reason = _overall(rows(totals, metric=metric))
        columns.append(_column(frame, metric))
        level[metric] = level_by_ranks(frame, metric, compared) if metric in ACCURACY else ()
        values.append(median)
        words.append(reason)
    shown = "Valid prediction time (VPT)" if leading == LEADING_METRIC else heading(leading)
    caption = (
        f"{shown} on each system: median over seeds. "
        "Mean rank: over systems, among the compared learners, failed trials at the worst rank. "
        "Other columns: median over systems, a failed one counting as worse than any. "
        f"{BOLD}: on one system by {BY_SEEDS}; over systems by {BY_RANKS}; costs as they are. Reference rows below "
        "the line."
    )
    return table_of("leaderboard", caption, columns, values, words, frame, ordered, references, level)


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
    """The metrics of one group, or all, on one system, medians over seeds; other arguments as for `leaderboard`."""
    whole = summary(frame) if totals is None else totals
    here, of_all = (rows(each, system=system) for each in (frame, whole))
    if metrics:
        here, of_all = (each.loc[each["metric"].isin(list(metrics))] for each in (here, of_all))
    found = {metric: rows(of_all, metric=metric).set_index("learner") for metric in of_all["metric"].unique()}
    columns = [_column(here, metric, timescale) for metric in found]
    values = [column(of_one, "median") for of_one in found.values()]
    words = [_reasons(of_one) for of_one in found.values()]
    what = f"{group.capitalize()} metrics" if group else "All metrics"
    caption = (
        f"{what} on {system}: medians over {len(set(here['seed']))} seeds. "
        f"{BOLD} ({BY_SEEDS}). Reference rows below the line."
    )
    name, ordered = slug(f"{system} {group}".strip()), _ordered(learners, references)
    compared = [learner for learner in ordered if learner not in references]
    level = level_by_seeds(here, compared)
    return table_of(name, caption, columns, values, words, here, ordered, references, level)


def outcome_table(
    frame: pd.DataFrame, learners: Sequence[str], references: Sequence[str], systems: Sequence[str]
) -> Table:
    """How the trials of every learner ended on every system: where each of them breaks."""
    ordered = _ordered(learners, references)
    ended = frame.drop_duplicates(["system", "learner", "seed"])
    words = []
    for system in systems:
        here = rows(ended, system=system)
        words.append(pd.Series({learner: outcome(rows(here, learner=learner)["status"]) for learner in ordered}))
    columns = [Column(slug(system), system) for system in systems]
    values = [pd.Series(np.nan, index=ordered) for _ in systems]
    caption = "How the trials of each learner ended on each system; reference rows below the line."
    return table_of("outcomes", caption, columns, values, words, frame, ordered, references)


def table_of(
    name: str,
    caption: str,
    columns: list[Column],
    values: list[pd.Series],
    words: list[pd.Series],
    frame: pd.DataFrame,
    ordered: list[str],
    references: Sequence[str],
    level: Mapping[str, Collection[str]] | None = None,
) -> Table:
    """A table of these columns, with the learners in this order, and how their trials in the frame have ended."""
    names = [each.name for each in columns]
    numbers = {name: each.reindex(ordered).astype(float) for name, each in zip(names, values, strict=True)}
    phrases = {name: each.reindex(ordered, fill_value=ABSENT) for name, each in zip(names, words, strict=True)}
    statuses = frame.drop_duplicates(["system", "learner", "seed"]).groupby("learner")["status"]
    ended = {str(learner): of_one.tolist() for learner, of_one in statuses}
    outcomes = {learner: outcome(ended.get(learner, ())) for learner in ordered}
    return Table(
        name,
        caption,
        tuple(columns),
        pd.DataFrame(numbers, index=ordered),
        pd.DataFrame(phrases, index=ordered),
        outcomes,
        tuple(references),
        level or {},
    )


def _ordered(learners: Sequence[str], references: Sequence[str]) -> list[str]:
    return sorted(learners, key=lambda learner: learner in references)


def _column(frame: pd.DataFrame, metric: str, timescale: str = "timescale") -> Column:
    first = rows(frame, metric=metric).iloc[0]
    return Column(metric, heading(metric), str(first["unit"]).replace("timescale", timescale), str(first["better"]))


def _reasons(totals: pd.DataFrame) -> pd.Series:
    """What stands where there is no value: why, or a dash where the metric says nothing about the learner."""
    return column(totals, "status").map(lambda name: NOTHING if name == "ok" else status(name))


def _overall(totals: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Median over systems of a metric that is better when lower, with a system that lacks a value as the worst."""
    median = column(totals, "median").fillna(np.inf).groupby(totals["learner"]).median()
    failed = pd.Series(np.isposinf(median), index=median.index)
    return median.mask(failed), failed.map({True: "failed", False: NOTHING})
