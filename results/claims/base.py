"""What the literature says, put to the test on the results of a run: supported, refuted, open, or no difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal

import numpy as np
import pandas as pd

from results.formatting import listed, three_digits
from results.statistics.means import mean_of_seeds
from results.statistics.trials import column, rows

ClaimVerdict = Literal["supported", "refuted", "no difference", "inconclusive"]
TRIAL = ["system", "seed"]
UNDECIDED = "quick"  # the budget of a look, which decides nothing
FEW = 0.1  # share of the seeds that may have failed in what a claim is decided by


@dataclass(frozen=True)
class Effect:
    """How large what a claim speaks of is, with its 95 % interval over seeds; NaN where it was not measured."""

    size: float
    low: float
    high: float
    unit: str
    verdict: ClaimVerdict
    reason: str = ""  # why nothing is said
    seeds: int = 0  # that were measured
    lost: int = 0  # seeds of which some trial failed, and counts for nothing
    parts: tuple["Effect", ...] = ()  # of a claim with several: this one, which decides, first

    @property
    def in_words(self) -> str:
        """The size in its unit, with the interval, or why there is none; of several parts each with its verdict."""
        if not self.parts:
            return self.reason or f"{self._measured}, {self._replicates}"
        told = {part._replicates for part in self.parts}
        if len(told) != 1:
            return "; ".join(part._as_part(f", {part._replicates}") for part in self.parts)
        return f"{'; '.join(part._as_part() for part in self.parts)}; {told.pop()}"

    @property
    def _measured(self) -> str:
        size, low, high = (three_digits(value) for value in (self.size, self.low, self.high))
        return f"{size} {self.unit} [{low}, {high}]"

    @property
    def _replicates(self) -> str:
        return f"{self.seeds} seeds" + (f", some trial of {self.lost} failed" if self.lost else "")

    def _as_part(self, replicates: str = "") -> str:
        if self.reason:
            return f'{self.reason}, for "{self.unit}"' if self.unit else self.reason
        return f"{self._measured}{replicates} ({self.verdict})"


@dataclass(frozen=True)
class Claim:
    """A sentence of the literature, and how it is tested on the long form of a run with classes and settings."""

    name: str
    statement: str
    source: str
    suite: str  # whose results it is tested on
    test: Callable[[pd.DataFrame], Effect]
    conditions: str = ""  # the models and the data, where not all of the suite


def judged(
    claims: Sequence[Claim], frame: pd.DataFrame, suite: str, budget: str = "standard"
) -> list[tuple[Claim, Effect]]:
    """The claims about a suite, each with what its results say of it, whatever part of the suite was run.

    `frame` is that of `Run.frame_of_components`. A test that ends in an exception costs its own claim alone. The budget
    for a quick look decides nothing.
    """
    return [(claim, _judge(claim, frame, budget)) for claim in claims if claim.suite == suite]


def _judge(claim: Claim, frame: pd.DataFrame, budget: str) -> Effect:
    try:
        found = claim.test(frame)
    except Exception as error:
        return not_tested(f"{type(error).__name__}: {error}")
    return _undecided(found) if budget == UNDECIDED else found


def _undecided(found: Effect) -> Effect:
    """The same effect, which decides nothing, and nor do its parts."""
    unit = found.unit if found.reason else f"{found.unit} (budget {UNDECIDED}: not decided)"
    return replace(found, verdict="inconclusive", unit=unit, parts=tuple(map(_undecided, found.parts)))


def not_tested(why: str, unit: str = "") -> Effect:
    """The effect of a claim of which a run has not what it is about."""
    return Effect(np.nan, np.nan, np.nan, unit, "inconclusive", f"not tested: {why}")


def claims_table(found: Sequence[tuple[Claim, Effect]]) -> pd.DataFrame:
    """A row for each claim: `claim`, `statement`, `conditions`, `verdict`, what was `measured`, and its numbers."""
    return pd.DataFrame(
        [
            {
                "claim": claim.name,
                "statement": claim.statement,
                "conditions": claim.conditions,
                "verdict": effect.verdict,
                "measured": effect.in_words,
                "effect": effect.size,
                "low": effect.low,
                "high": effect.high,
                "seeds": effect.seeds,
                "unit": effect.unit,
                "reason": effect.reason,
                "source": claim.source,
            }
            for claim, effect in found
        ]
    )


def effect(values: pd.Series, unit: str, lowest: float = -inf, highest: float = inf, alike: float = 0.0) -> Effect:
    """The mean of a value by system and seed, held against the range in which the claim is true.

    Seeds are the replicates: what one seed gives on several systems, or several times, counts as one value, their mean.
    The claim is supported where the whole interval lies in the range, refuted where all of it lies outside, else open.
    But there is no difference to speak of where the interval lies within `alike` to both sides of zero; and it is open
    where trials of more than FEW of the seeds failed, of which there is no value: the others are the lucky ones.
    """
    finite = np.isfinite(values.to_numpy(dtype=float))
    by_seed = values.loc[finite].groupby(level="seed").mean().to_numpy()
    lost = len(values.loc[~finite].index.unique("seed"))
    if len(by_seed) < 2:
        return not_tested(f"measured for {len(by_seed)} seeds, and two are needed", unit)
    low, high = interval(by_seed)
    inside, outside = lowest <= low and high <= highest, high < lowest or low > highest
    verdict: ClaimVerdict = "supported" if inside else "refuted" if outside else "inconclusive"
    if max(-low, high) < alike:
        verdict, unit = "no difference", f"{unit}, less than {alike:g} either way"
    if lost > FEW * len(values.index.unique("seed")):
        verdict = "inconclusive"
    return Effect(float(np.mean(by_seed)), low, high, unit, verdict, seeds=len(by_seed), lost=lost)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Ends of Student's 95 % interval of a mean: a bootstrap of three or five seeds would be too narrow."""
    found = mean_of_seeds(values).interval()
    return found.low, found.high


def together(parts: Sequence[Effect]) -> Effect:
    """Of a claim with several parts, the one that decides, with all of them as its parts.

    One that is refuted decides, else one that makes no difference, else an open one, else the first. Of those that say
    the same, the one of which most seeds failed.
    """
    order = ("refuted", "no difference", "inconclusive", "supported")
    single = [each for part in parts for each in part.parts or (part,)]
    ranked = sorted(single, key=lambda part: (order.index(part.verdict), -part.lost))
    if not ranked:
        return not_tested("nothing was measured")
    if len(ranked) == 1 or all(part.reason for part in ranked):
        return ranked[0]
    return replace(ranked[0], parts=tuple(ranked))


def tested(trials: pd.DataFrame, kind: str) -> str:
    """The labels of the learners of these trials, for what a claim says of them; their kind where there are none."""
    labels = list(dict.fromkeys(trials["learner"]))
    return listed(labels) if labels else kind


def trials_of(
    frame: pd.DataFrame, kind: str, fits: Callable[[Mapping[str, Any]], bool] = lambda settings: True
) -> pd.DataFrame:
    """The rows of the learners of one class whose settings (those that are not the defaults) fit."""
    chosen = rows(frame, learner_class=kind)
    return chosen.loc[np.array([fits(settings) for settings in chosen["learner_settings"]], dtype=bool)]


def measured(trials: pd.DataFrame, metric: str) -> pd.Series:
    """A metric of these trials by system and seed: NaN of failed ones, and none where nothing defines it."""
    found = rows(trials, metric=metric)
    told = found["value"].notna() | ~found["status"].isin(["ok", "skipped"])
    return column(found.loc[told].set_index(TRIAL), "value")


def by_system(values: pd.Series, test: Callable[[pd.Series, str], Effect]) -> Effect:
    """A claim that is tested on each system apart, by `test` of the values there and the system's name."""
    return together([test(mine, str(system)) for system, mine in values.groupby(level="system", sort=False)])


def differences(one: pd.Series, other: pd.Series) -> pd.Series:
    """One value less the other, for each system and seed that has both; of several learners, their medians.

    NaN where any of the trials failed.
    """
    first, second = _paired(one, other)
    return first - second


def ratios(one: pd.Series, other: pd.Series) -> pd.Series:
    """One value over the other, for each system and seed that has both; of several learners, their medians."""
    first, second = _paired(one, other)
    return first / second


def decades(one: pd.Series, other: pd.Series) -> pd.Series:
    """Logarithms to base 10 of the ratios."""
    with np.errstate(divide="ignore", invalid="ignore"):  # of what is zero, which no effect is made of
        return pd.Series(np.log10(ratios(one, other)))


def _median(values: pd.Series) -> float:
    return float(np.median(values))  # NaN where one is


def _paired(one: pd.Series, other: pd.Series) -> tuple[pd.Series, pd.Series]:
    first, second = (values.groupby(level=TRIAL, sort=False).agg(_median) for values in (one, other))
    both = first.index.intersection(second.index)
    return first.loc[both], second.loc[both]
