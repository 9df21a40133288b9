"""Two runs side by side: what changed from the first to the second, paired trial by trial, and what is unresolved."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from results.formatting import NOTHING, escape_markdown, heading, pipe_table, status, three_digits
from results.gate.baseline import differences
from results.statistics.intervals import Estimate
from results.statistics.means import mean_of_seeds, mean_over
from results.statistics.scores import MEASUREMENT, paired_scores
from results.statistics.trials import ALL_SYSTEMS, column, groups, rows
from results.store.errors import IncomparableError
from results.store.run import Run

ChangeVerdict = Literal["better", "worse", "changed", "same", "unresolved"]


@dataclass(frozen=True)
class Change:
    """One learner by one metric, on one system or on all: medians of both runs, and the difference, paired by seed.

    Seeds are the replicates. On one system `difference` is in the unit of the metric, the mean over the seeds; over all
    of them it is a ratio less one. `first` and `second` are None, and `words` say why, where a run has no value.
    """

    system: str
    learner: str
    metric: str
    first: float | None
    second: float | None
    difference: Estimate
    pairs: int
    verdict: ChangeVerdict
    words: tuple[str, str] = ("", "")

    @property
    def entries(self) -> tuple[str, str, str, str]:
        """Both values, the difference with its interval, and the verdict, as they are printed."""
        values = [
            three_digits(value) if value is not None else word or NOTHING
            for value, word in zip((self.first, self.second), self.words, strict=True)
        ]
        scale, unit = (100, " %") if self.system == ALL_SYSTEMS else (1, "")
        value, low, high = (number * scale for number in asdict(self.difference).values())
        ends = f" [{three_digits(low)}, {three_digits(high)}]" if np.isfinite([low, high]).all() else ""
        difference = NOTHING if np.isnan(value) else f"{'+' if value > 0 else ''}{three_digits(value)}{ends}{unit}"
        return values[0], values[1], difference, self.verdict


@dataclass(frozen=True)
class Comparison:
    """All changes that two runs allow, cell by cell and over all systems, and the cells that only one of them has."""

    cells: tuple[Change, ...]
    overall: tuple[Change, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    notes: tuple[str, ...]

    def of(self, metrics: Sequence[str]) -> list[Change]:
        """The changes of these metrics, those over all systems last."""
        return [change for change in (*self.cells, *self.overall) if change.metric in metrics]

    def others(self, metrics: Sequence[str]) -> list[Change]:
        """What is resolved over all systems of the metrics that are not among these."""
        return [
            change
            for change in self.overall
            if change.metric not in metrics and change.verdict not in ("same", "unresolved")
        ]


def compare_runs(first: Run, second: Run) -> Comparison:
    """Pair the trials of two runs by system, data seed and seed.

    Raises IncomparableError where the runs saw different data, so that nothing can be paired.
    """
    clashes = _differing(second.manifest, first.manifest, ("data_seed", "sampling"))
    if clashes:
        raise IncomparableError(f"{first.folder} and {second.folder} cannot be paired: {'; '.join(clashes)}")
    frames = [run.frame() for run in (first, second)]
    one, other = ([(cell.system, cell.learner) for cell in run.finished] for run in (first, second))
    changes = []
    for system, learner in (place for place in one if place in other):
        trials = [rows(frame, system=system, learner=learner) for frame in frames]
        metrics = [metric for metric in dict.fromkeys(trials[0]["metric"]) if metric in set(trials[1]["metric"])]
        changes += [_change(system, learner, metric, trials) for metric in metrics]
    only_first = [f"{learner} on {system}" for system, learner in one if (system, learner) not in other]
    only_second = [f"{learner} on {system}" for system, learner in other if (system, learner) not in one]
    notes = _differing(second.manifest, first.manifest, ("suite", "budget", "equal", "allowance"))
    before, after = (run.manifest["environment"] for run in (first, second))
    notes += _differing(after, before, ("processor", "device", "torch"))
    return Comparison(tuple(changes), tuple(_overall(*frames)), tuple(only_first), tuple(only_second), tuple(notes))


def markdown(comparison: Comparison, metrics: Sequence[str]) -> str:
    """A pipe table for each metric, and what else is resolved."""
    parts = []
    for metric in metrics:
        lines = [
            [escape_markdown(entry) for entry in (change.system, change.learner, *change.entries)]
            for change in comparison.of([metric])
        ]
        heads = ["system", "learner", "A", "B", "B - A (all systems: B / A - 1)", "verdict"]
        table = pipe_table(lines, heads, ["left"] * 2 + ["right"] * 3 + ["left"])
        parts.append(f"**{heading(metric)}**\n\n{table}")
    if lines := remarks(comparison, metrics):
        parts.append("\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def remarks(comparison: Comparison, metrics: Sequence[str]) -> list[str]:
    """What the tables of these metrics do not show, in sentences."""
    found = [
        f"{change.learner}: {heading(change.metric)} {change.entries[2]} over all systems, {change.verdict}"
        for change in comparison.others(metrics)
    ]
    for name, lone in (("A", comparison.only_first), ("B", comparison.only_second)):
        if lone:
            found.append(f"only in {name}: {', '.join(lone)}")
    return found + list(comparison.notes)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON-ready values, with None where there is no interval."""
    content = asdict(comparison)
    for change in (*content["cells"], *content["overall"]):
        change["difference"] = {
            name: value if np.isfinite(value) else None for name, value in change["difference"].items()
        }
    return content


def _change(system: str, learner: str, metric: str, frames: Sequence[pd.DataFrame]) -> Change:
    trials = [rows(frame, metric=metric).set_index("seed") for frame in frames]
    values = [column(one, "value").where(column(one, "status") == "ok") for one in trials]
    words = _ended(column(trials[0], "status")), _ended(column(trials[1], "status"))
    medians = _median(values[0]), _median(values[1])
    better = str(trials[0]["better"].iloc[0])
    pairs = pd.concat(values, axis=1, join="inner", keys=["first", "second"]).dropna()
    change = (column(pairs, "second") - column(pairs, "first")).to_numpy()
    if any(median is None for median in medians) or not len(change):
        return Change(system, learner, metric, *medians, Estimate(np.nan), 0, _verdict_of_failures(words), words)
    same = not change.any()
    difference = Estimate(0.0, 0.0, 0.0) if same else mean_of_seeds(change).interval()
    return Change(system, learner, metric, *medians, difference, len(change), _verdict(difference, better, same), words)


def _overall(first: pd.DataFrame, second: pd.DataFrame) -> list[Change]:
    """Ratios of the geometric mean over systems, each the geometric mean over its seeds.

    They are of the trials that both have; what failed in one alone decides the verdict.
    """
    found = []
    failures = _failures(first, second)
    both = paired_scores(*(frame.loc[frame["status"] == "ok"] for frame in (first, second)))
    for (learner, metric, better), pairs in groups(both, "learner", "metric", "better"):
        by_system = [column(trials, "ratio").to_numpy() for _, trials in pairs.groupby("system")]
        worse = mean_over([mean_of_seeds(ratios) for ratios in by_system]).interval()
        ends = sorted(np.expm1([-worse.low, -worse.high] if better == "higher" else [worse.low, worse.high]))
        ratio = Estimate(float(np.expm1(-worse.value if better == "higher" else worse.value)), *map(float, ends))
        verdict = _verdict(worse, "lower", not np.any(pairs["ratio"]))
        words = failures.get((learner, metric), ("", ""))
        verdict = _verdict_of_failures(words) if any(words) else verdict
        found.append(Change(ALL_SYSTEMS, learner, metric, None, None, ratio, len(pairs), verdict, words))
    return found


def _failures(first: pd.DataFrame, second: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """By learner and metric how trials ended that failed in one of the runs and not in the other."""
    both = first.merge(second, on=MEASUREMENT, suffixes=("_first", "_second"))
    both = both.loc[(both["status_first"] == "ok") != (both["status_second"] == "ok")]
    return {
        (learner, metric): (_ended(column(trials, "status_first")), _ended(column(trials, "status_second")))
        for (learner, metric), trials in groups(both, "learner", "metric")
    }


def _verdict_of_failures(words: tuple[str, str]) -> ChangeVerdict:
    lost, gained = bool(words[1]) and not words[0], bool(words[0]) and not words[1]
    return "worse" if lost else "better" if gained else "unresolved"


def _verdict(difference: Estimate, better: str, same: bool) -> ChangeVerdict:
    if same:
        return "same"
    if not difference.resolved:
        return "unresolved"
    if better == "truth":
        return "changed"
    return "better" if (difference.value > 0) == (better == "higher") else "worse"


def _median(values: pd.Series) -> float | None:
    return None if np.any(values.isna()) else float(values.median())


def _ended(statuses: pd.Series) -> str:
    """How the first trial that failed ended, in words."""
    failed = [name for name in statuses if name != "ok"]
    return status(failed[0]) if failed else ""


def _differing(second: Mapping[str, Any], first: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return differences({name: second.get(name) for name in names}, {name: first.get(name) for name in names})
