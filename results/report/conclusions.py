"""What a run shows, in plain sentences: who predicts longest where, and who loses to a reference row."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.formatting import counted, heading, listed, plural, three_digits
from results.statistics.intervals import Interval
from results.statistics.ranking import Ranking, level_by_seeds
from results.statistics.scores import losses
from results.statistics.trials import CELL, groups, rows, summary

EVERY = "every learned model"
MANY = 8  # systems, of more of which there are counts alone
FEWEST = 3  # systems from which something follows for others like them
MOST = {"higher": "highest", "lower": "lowest", "truth": "truest"}  # value, by what is better

Lost = Mapping[str, Mapping[str, list[str]]]


@dataclass(frozen=True)
class Winner:
    """The longest prediction time on one system among the compared learners, and whom it cannot be told from."""

    system: str
    learner: str
    interval: Interval
    unit: str
    level: tuple[str, ...]  # compared learners whose intervals overlap with the best one's
    behind: tuple[str, ...]  # compared learners that predict less far
    ahead: tuple[str, ...]  # reference rows that predict longer

    @property
    def standing(self) -> str:
        """The best learner, and those that it cannot be told from: without intervals, all others."""
        if self.level and not self.interval.known:
            return f"{self.learner} (not told from any other)"
        if self.level and not self.behind:
            return "all learners alike"
        return f"{self.learner} (level with {listed(self.level)})" if self.level else self.learner

    @property
    def time(self) -> str:
        return describe_interval(self.interval.median, self.interval.low, self.interval.high, self.unit)


def winners(times: pd.DataFrame, compared: Sequence[str], timescales: Mapping[str, str]) -> list[Winner]:
    """The best learner of each system where one has a prediction time.

    `times` has a row for each system and learner with `median`, `low` and `high`.
    """
    found = []
    for system, here in _intervals(times).items():
        mine = {learner: interval for learner, interval in here.items() if learner in compared}
        if mine:
            best = max(mine, key=lambda learner: mine[learner].median)
            level = tuple(learner for learner in mine if learner != best and mine[learner].overlaps(mine[best]))
            behind = tuple(learner for learner in mine if learner != best and learner not in level)
            ahead = tuple(learner for learner in here if learner not in compared and _beats(here[learner], here[best]))
            found.append(Winner(system, best, here[best], plural(timescales[system]), level, behind, ahead))
    return found


def lost_to_references(
    times: pd.DataFrame, compared: Sequence[str], truths: Collection[str]
) -> dict[str, dict[str, list[str]]] | None:
    """For each reference row but the true equations, by system, the compared learners that it predicts longer than.

    None where no such row and learner both have intervals: one seed tells nothing.
    """
    comparable = False
    lost: dict[str, dict[str, list[str]]] = {}
    for system, here in _intervals(times).items():
        measured = [learner for learner in compared if learner in here]
        for reference in here:
            if reference in compared or reference in truths:
                continue
            comparable |= here[reference].known and any(here[learner].known for learner in measured)
            beaten = [learner for learner in measured if _beats(here[reference], here[learner])]
            if beaten:
                lost.setdefault(reference, {})[system] = [EVERY] if len(beaten) == len(measured) > 1 else beaten
    return lost if comparable else None


def conclusions(best: Sequence[Winner], overall: str, lost: Lost | None) -> list[str]:
    """What the run shows, in a few sentences, from what `winners`, `overall_ranking` and `lost_to_references` found."""
    if not best:
        return ["No learner has a valid prediction time yet."]
    if len(best) > MANY:
        return _counted(best, overall, lost or {})
    places: dict[str, list[str]] = {}
    for winner in best:
        places.setdefault(winner.standing, []).append(f"{winner.system} ({winner.time})")
    longest = "; ".join(f"{standing} on {listed(where)}" for standing, where in places.items())
    sentence = "; ".join([*([overall] if overall else []), f"longest valid prediction time: {longest}"])
    said = [f"{sentence[0].upper()}{sentence[1:]}."]
    if lost is None:
        return said
    if not lost:
        return [*said, "No learned model loses to a reference row other than the true equations."]
    for reference, systems in lost.items():
        groups: dict[str, list[str]] = {}
        for system, beaten in systems.items():
            groups.setdefault(listed(beaten), []).append(system)
        clauses = "; ".join(f"{beaten} on {listed(where)}" for beaten, where in groups.items())
        said.append(f"{reference} predicts longer than {clauses}.")
    return said


def _counted(best: Sequence[Winner], overall: str, lost: Lost) -> list[str]:
    """The same of more systems than a reader wants to see named."""
    shares = listed(f"{learner} on {wins}" for learner, wins in _wins(best).most_common())
    sentence = f"best, or level with the best, of {len(best)} systems: {shares}"
    sentence = "; ".join([*([overall] if overall else []), sentence])
    said = [f"{sentence[0].upper()}{sentence[1:]}."]
    for reference, systems in lost.items():
        wholly = sum(beaten == [EVERY] for beaten in systems.values())
        counts = {EVERY: wholly, "some learned models": len(systems) - wholly}
        first, *others = [f"{whom} on {count}" for whom, count in counts.items() if count]
        said.append(f"{reference} predicts longer than {listed([f'{first} of {len(best)}', *others])}.")
    return said


def _wins(best: Sequence[Winner]) -> Counter[str]:
    """On how many systems each learner is best, or level with the best."""
    return Counter(one for winner in best for one in (winner.learner, *winner.level))


def advice(best: Sequence[Winner], compared: Sequence[str], truths: Collection[str]) -> str:
    """What to use for a system like those of the run, in a sentence; empty for fewer than FEWEST systems.

    That is the learner that is best, or level with the best, on most systems, and of several the one that is best on
    most where not all are alike; all of these where that is none, and no learner where it would be every one. Before it
    comes a reference row, but the `truths`, that predicts longer than every learner on at least as many systems as not.
    """
    if len(best) < FEWEST or len(compared) < 2:
        return ""
    wins, foremost = _wins(best), Counter(one.learner for one in best if one.behind)
    places = {one: (wins[one], foremost[one]) for one in compared}
    first = [one for one in compared if places[one] == max(places.values())]
    others = sorted((one for one in compared if one not in first), key=lambda one: places[one], reverse=True)
    count, said = len(best), ""
    if others:
        often = f"{wins[first[0]]} of {count} ({others[0]} on {wins[others[0]]})"
        said = f"{' or '.join(first)}, best or level with the best on {often}"
    ahead = Counter(reference for winner in best for reference in winner.ahead if reference not in truths)
    if ahead and ahead.most_common(1)[0][1] * 2 >= count:
        reference, times = ahead.most_common(1)[0]
        beaten = f"which predicts longer than every learner on {times} of {count}"
        said = f"{reference} first, {beaten}; of the learners, {said}" if said else f"{reference}, {beaten}"
    return f"For a system like these, try {said}." if said else ""


def overall_ranking(ranks: Ranking) -> str:
    """Who is first over all systems, as far as ranks resolve it; empty where there is nobody to compare with."""
    names = ranks.learners
    if len(names) < 2:
        return ""
    first = [name for name, place in ranks.places.items() if place == 1]
    least = ranks.mean_ranks.iloc[0]
    if len(first) == len(names):
        needed = "" if np.isnan(ranks.difference) else f", and only gaps of {ranks.difference:.2f} are resolved"
        return (
            f"no learner is resolved as the best over {counted(ranks.blocks, 'system')} "
            f"(mean ranks {least:.2f} to {ranks.mean_ranks.iloc[-1]:.2f}{needed})"
        )
    if len(first) == 1:
        return f"{first[0]} ranks first overall (mean rank {least:.2f})"
    return f"{listed(first)} rank first overall, unresolved from each other (best mean rank {least:.2f})"


def describe_best(frame: pd.DataFrame, compared: Collection[str], metric: str) -> list[str]:
    """Who is best by a metric on each system, in a sentence each, with the interval over seeds, and who is level.

    Level are those whom the seeds do not resolve from the best, as in tables.

    Equal in print is equal, and failed trials count as in ranks. Nothing is said of a system on which half of every
    learner's trials failed, or of a metric that is best near a truth which is not known.
    """
    totals = rows(summary(frame), metric=metric).dropna(subset="median")
    totals = totals.loc[totals["learner"].isin(list(compared))]
    if not len(totals):
        return [f"No learner has a {heading(metric)} yet."]
    totals = totals.join(losses(frame, metric).groupby(CELL)["loss"].median(), on=CELL)
    sentences = []
    for (system,), here in groups(totals.loc[np.isfinite(totals["loss"])], "system"):
        about = rows(frame, metric=metric, system=system).iloc[0]
        best = here.loc[here["loss"].idxmin()]
        alike = here.loc[here["median"].map(three_digits) == three_digits(best["median"])]
        ends = (best["low"], best["high"]) if len(alike) == 1 else (np.nan, np.nan)
        found = describe_interval(best["median"], *ends, about["unit"])
        who = "All learners" if 1 < len(alike) == len(set(compared)) else listed(alike["learner"])
        resolved = level_by_seeds(rows(frame, metric=metric, system=system), list(compared)).get(metric, set())
        others = [one for one in compared if one in resolved and one not in set(alike["learner"])]
        level = f" (level with {listed(others)})" if others else ""
        said = f"the {MOST[about['better']]} {heading(metric)} on {system}{level}: {found}."
        sentences.append(f"{who} {'have' if len(alike) > 1 else 'has'} {said}")
    return sentences or [f"Nothing tells which learner is best by {heading(metric)}."]


def describe_interval(value: float, low: float, high: float, unit: str) -> str:
    """A value in its unit, with its 95 % interval where there is one: "5.94 Lyapunov times [5.70, 6.10]"."""
    interval = f" [{three_digits(low)}, {three_digits(high)}]" if low == low else ""
    return f"{three_digits(value)} {unit}".strip() + interval


def _intervals(times: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    found: dict[str, dict[str, Interval]] = {}
    for row in times.dropna(subset=["median"]).to_dict("records"):
        interval = Interval(row["median"], row["low"], row["high"])
        found.setdefault(str(row["system"]), {})[str(row["learner"])] = interval
    return found


def _beats(one: Interval, other: Interval) -> bool:
    return one.median > other.median and not one.overlaps(other)
