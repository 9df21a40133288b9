"""What a table of results is: columns of raw numbers by learner, with what is printed of them, and the best in bold."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from results.formatting import ABSENT, BYTES, NOTHING, in_bytes, outcome, three_digits
from results.statistics.scores import GROUND_TRUTH, INDEPENDENT_TRUTH
from results.statistics.trials import column, endings


@dataclass(frozen=True)
class Column:
    """One column: its name in CSV, its head and unit in print, and which values are better ("" where none is).

    `values` are raw numbers by learner; `words` are printed where there is none; `level` names the learners that the
    best one is not resolved from.
    """

    name: str
    head: str
    unit: str
    better: str
    values: pd.Series
    words: pd.Series
    level: Collection[str] = ()
    truth: float = np.nan  # what is published, for a column whose best is near it
    chance: tuple[float, float] | None = None  # quartiles of independent truths
    form: str = ""  # of numbers in print, such as "{:.5g}"; without it, as all numbers

    def printed(self, values: pd.Series) -> pd.Series:
        """The values in print, that of independent truths with quartiles; a column of whole numbers has no decimals."""
        if self.unit in BYTES:
            return values.map(in_bytes, na_action="ignore")
        whole = bool((values.dropna() % 1 == 0).all())
        printed = values.map(lambda one: self.form.format(one) if self.form else three_digits(one, whole), "ignore")
        ends = [three_digits(end) for end in self.chance or ()]
        if len(set(ends)) == 2:
            printed[INDEPENDENT_TRUTH] += f" [{ends[0]}, {ends[1]}]"
        return printed

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

    `outcomes` say for each learner, in the order of the rows, how many of its trials failed, and how.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    outcomes: Mapping[str, str]
    references: tuple[str, ...]

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Head and unit of each column, of the learner's and the outcome's too."""
        return [("learner", ""), *((each.head, each.printed_unit) for each in self.columns), ("outcome", "")]

    @property
    def rows(self) -> Iterator[Row]:
        """The lines of the table in print."""
        printed, best = self.printed, self.best
        for place, learner in enumerate(self.outcomes):
            line = zip(printed.iloc[place], best.iloc[place], self.values.iloc[place], strict=True)
            entries = tuple(
                Entry(text, bool(first), bool(np.isnan(value)) and text != NOTHING, None if np.isnan(value) else value)
                for text, first, value in line
            )
            yield Row(learner, learner in self.references, entries, self.outcomes[learner])

    @cached_property
    def values(self) -> pd.DataFrame:
        """Raw numbers, NaN where there are none."""
        index = list(self.outcomes)
        return pd.DataFrame({one.name: one.values.reindex(index).astype(float) for one in self.columns}, index=index)

    @cached_property
    def words(self) -> pd.DataFrame:
        """What is printed where there is no number."""
        index = list(self.outcomes)
        return pd.DataFrame(
            {one.name: one.words.reindex(index, fill_value=ABSENT) for one in self.columns}, index=index
        )

    @cached_property
    def printed(self) -> pd.DataFrame:
        """What is printed: numbers to three digits, words where there is no number."""
        columns = {each.name: each.printed(column(self.values, each.name)) for each in self.columns}
        return pd.DataFrame(columns, index=self.values.index, dtype=object).fillna(self.words)

    @cached_property
    def best(self) -> pd.DataFrame:
        """Where the best value of each column stands, and those level with it; equal in print is equal.

        Nowhere where a single learner is compared.
        """
        printed = self.printed
        several = len(printed.index.difference(list(self.references))) > 1
        best = pd.DataFrame(False, index=printed.index, columns=printed.columns)
        for each in self.columns:
            values = column(self.values, each.name)
            truth = values.get(GROUND_TRUTH, np.nan) if np.isnan(each.truth) else each.truth
            distance = (values - truth).abs()
            losses = {"lower": values, "higher": -values, "truth": distance}
            loss = losses.get(each.better, values * np.nan).drop(list(self.references)).dropna()
            level = loss.index.isin(list(each.level))
            if several and len(loss) and not level.all():
                winner = printed.loc[loss.idxmin(), each.name]
                best.loc[loss.index, each.name] = (printed.loc[loss.index, each.name] == winner) | level
        return best


def table_of(
    name: str,
    caption: str,
    columns: Sequence[Column],
    frame: pd.DataFrame,
    learners: Sequence[str],
    references: Sequence[str] = (),
) -> Table:
    """A table of these columns, with the reference rows last, and how the trials of each learner ended in the frame."""
    ordered = sorted(learners, key=lambda learner: learner in references)
    return Table(name, caption, tuple(columns), outcomes_in(frame, ordered), tuple(references))


def outcomes_in(frame: pd.DataFrame, learners: Sequence[str]) -> dict[str, str]:
    """How the trials of each learner ended, in words."""
    ended = endings(frame).groupby("learner")["status"].agg(list).to_dict()
    return {learner: outcome(ended.get(learner, ())) for learner in learners}
