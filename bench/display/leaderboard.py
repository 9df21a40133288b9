"""Who is ahead: the median over seeds of a suite's leading metric, for each learner on each system."""

from collections.abc import Iterable, Mapping
from math import inf
from statistics import fmean, median
from typing import Any, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from bench.display.tables import grid, panes
from results import Record
from results.store.manifest import CAPPED, ERROR, LEADING_METRIC, leading_metric


class _Outcome(NamedTuple):
    """What one metric says of a trial."""

    value: float | None
    status: str  # in the horizon of that metric

    @property
    def is_failure(self) -> bool:
        return self.status not in ("ok", "skipped")


class Leaderboard:
    """Scores so far, record by record; a rich renderable as wide as its console.

    Medians are over the trials that have a value. Learners are ordered by their mean rank over the systems, for which a
    trial that failed in training or in the horizon of the metric counts as worse than any value; the reference rows
    follow as the suite has them. Learners that only some systems have are no part of these ranks, and come behind the
    others. A system on which all learners predict up to the horizon is ranked by error.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.systems: list[str] = manifest["systems"]
        self.learners = [learner["label"] for learner in manifest["learners"] if not learner["reference"]]
        self.references = [learner["label"] for learner in manifest["learners"] if learner["reference"]]
        self.narrow: set[str] = set().union(*manifest.get("lacks", {}).values())
        metrics = {metric["name"]: metric for metric in manifest["metrics"]}
        self.metric = metrics[leading_metric(metrics)]
        self._sign = -1.0 if self.metric["better"] == "higher" else 1.0
        self._outcomes: dict[tuple[str, str, str], list[_Outcome]] = {}  # by learner, system and metric

    def add(self, records: Iterable[Record]) -> None:
        """Count trials in."""
        for record in records:
            measured = {one.metric: one for one in record.measurements}
            for name in dict.fromkeys((self.metric["name"], CAPPED, ERROR)):
                one = measured.get(name)
                outcome = _Outcome(one.value if one else None, record.status_of(one))
                self._outcomes.setdefault((record.learner, record.system, name), []).append(outcome)

    def score(self, learner: str, system: str) -> float | None:
        """Median over the seeds that have a value; None where there is none."""
        values = [one.value for one in self._trials(learner, system) if one.value is not None]
        return median(values) if values else None

    def ranking(self) -> list[str]:
        """The learners under comparison, best first."""
        if self.metric["better"] == "truth":
            return self.learners
        ranks: dict[str, list[float]] = {learner: [] for learner in self.learners}
        for system in self.systems:
            losses = self._losses(system)
            everywhere = [loss for learner, loss in losses.items() if learner not in self.narrow]
            for learner, loss in losses.items():
                ahead = sum(other < loss for other in everywhere)
                ranks[learner].append(ahead + everywhere.count(loss) / 2)
        means = {learner: fmean(found) if found else inf for learner, found in ranks.items()}
        return sorted(self.learners, key=lambda learner: (learner in self.narrow, means[learner]))

    def rows(self) -> list[dict[str, Any]]:
        """The scores of each learner by system, best learner first, as JSON-ready values."""
        return [
            {
                "learner": learner,
                "reference": learner in self.references,
                self.metric["name"]: {system: self.score(learner, system) for system in self.systems},
            }
            for learner in [*self.ranking(), *self.references]
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names, groups = panes([*self.learners, *self.references], self.systems, options.max_width)
        unit = f" in {self.metric['unit']}" if self.metric["unit"] else ""
        yield Text(f"{self.metric['name']}{unit}, median over seeds", style="bold")
        ranked = self.ranking()
        losses = {system: self._losses(system) for system in self.systems}
        for systems in groups:
            table = grid(names, systems, "right")
            for learner in [*ranked, *self.references]:
                last = bool(self.references) and learner == ["", *ranked][-1]
                style = "dim" if learner in self.references else ""
                cells = (self._cell(learner, system, losses[system]) for system in systems)
                table.add_row(Text(learner), *cells, style=style, end_section=last)
            yield table
        if full := [system for system in self.systems if self._is_saturated(system)]:
            instead = f"ranked by {ERROR}" if any(losses[system] for system in full) else "left out of ranks"
            yield Text(f"{', '.join(full)}: all predict up to the horizon, {instead}", style="dim")
        pairs = [(name, system) for name in [*self.learners, *self.references] for system in self.systems]
        partly = [pair for pair in pairs if self.score(*pair) is not None]  # others show how they ended
        if any(one.is_failure for pair in partly for one in self._trials(*pair)):
            yield Text("* some seeds diverged or failed", style="red")

    def _cell(self, learner: str, system: str, losses: Mapping[str, float]) -> Text:
        """The score of a learner on a system, marked where its loss is the least of all on that system."""
        trials = self._trials(learner, system)
        if not trials:
            return Text("·", style="dim")
        score = self.score(learner, system)
        ending = next((one.status for one in trials if one.status != "ok"), "")
        if score is None:
            ending = ending or "none"
            return Text(ending, style="dim" if ending == "skipped" else "red")
        text = Text(f"{score:.2f}" if 0.1 <= abs(score) < 1000 or score == 0 else f"{score:.2g}")
        if self.metric["better"] != "truth" and learner in losses and losses[learner] == min(losses.values()):
            text.stylize("bold green")
        if ending:
            text.append("*", style="red")
        return text

    def _trials(self, learner: str, system: str) -> list[_Outcome]:
        """What the leading metric says of each."""
        return self._outcomes.get((learner, system, self.metric["name"]), [])

    def _losses(self, system: str) -> dict[str, float]:
        """The median loss over all seeds of each learner under comparison that has one on a system."""
        name, sign = (ERROR, 1.0) if self._is_saturated(system) else (self.metric["name"], self._sign)
        return {learner: sign * value for learner, value in self._medians(system, name, sign * inf).items()}

    def _is_saturated(self, system: str) -> bool:
        """Whether prediction times tell nothing of a system, by the rule of `results.statistics.saturation`."""
        shares = self._medians(system, CAPPED, 0.0).values() if self.metric["name"] == LEADING_METRIC else ()
        return bool(shares) and min(shares) > 0.5

    def _medians(self, system: str, metric: str, failure: float) -> dict[str, float]:
        """The median of a metric for each learner under comparison that has one; trials that failed count as this."""
        found = {}
        for learner in self.learners:
            outcomes = self._outcomes.get((learner, system, metric), [])
            values = [failure if one.is_failure else one.value for one in outcomes]
            if known := [value for value in values if value is not None]:
                found[learner] = median(known)
        return found
