"""Who is ahead: the median over seeds of a suite's leading metric, for each learner on each system."""

from collections.abc import Iterable, Mapping
from math import inf
from statistics import fmean, median
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from bench.display.tables import grid, panes
from results import Record

LEADING = "vpt"  # the metric that decides, in a suite that has it; in any other its first one


class Leaderboard:
    """The standings so far, filled record by record; a rich renderable as wide as its console.

    Medians are over the trials that have a value. Learners are ordered by their mean rank over the systems, for which a
    trial that failed or has no value counts as worse than any value; the reference rows follow as the suite has them.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.systems: list[str] = manifest["systems"]
        self.learners = [learner["label"] for learner in manifest["learners"] if not learner["reference"]]
        self.references = [learner["label"] for learner in manifest["learners"] if learner["reference"]]
        metrics = {metric["name"]: metric for metric in manifest["metrics"]}
        self.metric = metrics.get(LEADING) or next(iter(metrics.values()))
        self._sign = -1.0 if self.metric["better"] == "higher" else 1.0
        self._values: dict[tuple[str, str], list[float | None]] = {}
        self._losses: dict[tuple[str, str], list[float]] = {}  # that ranks are made of: the smaller the better
        self._endings: dict[tuple[str, str], str] = {}  # of trials that did not end well, or were skipped

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            place = record.learner, record.system
            values = [one.value for one in record.measurements if one.metric == self.metric["name"]]
            value = values[0] if values else None
            self._values.setdefault(place, []).append(value)
            loss = self._sign * value if value is not None and record.status == "ok" else inf
            self._losses.setdefault(place, []).append(loss)
            if record.status != "ok":
                self._endings.setdefault(place, record.status)

    def score(self, learner: str, system: str) -> float | None:
        """Median over the seeds that have a value; None where there is none."""
        values = [value for value in self._values.get((learner, system), []) if value is not None]
        return median(values) if values else None

    def ranking(self) -> list[str]:
        """The learners under comparison, best first."""
        if self.metric["better"] == "truth":
            return self.learners
        ranks: dict[str, list[float]] = {learner: [] for learner in self.learners}
        for system in self.systems:
            losses = {
                learner: self._loss(learner, system) for learner in self.learners if (learner, system) in self._values
            }
            for learner, loss in losses.items():
                ahead, level = sum(other < loss for other in losses.values()), list(losses.values()).count(loss)
                ranks[learner].append(ahead + level / 2)
        return sorted(self.learners, key=lambda learner: fmean(ranks[learner]) if ranks[learner] else inf)

    def rows(self) -> list[dict[str, Any]]:
        """The standings as JSON-ready values, best learner first."""
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
        for systems in groups:
            yield self._table(systems, names)
        if set(self._endings.values()) - {"skipped"}:
            yield Text("* some seeds failed", style="red")

    def _table(self, systems: list[str], names: int) -> Table:
        table = grid(names, systems, "right")
        ranked = self.ranking()
        for learner in [*ranked, *self.references]:
            last = bool(self.references) and learner == ["", *ranked][-1]
            style = "dim" if learner in self.references else ""
            table.add_row(
                Text(learner), *(self._cell(learner, system) for system in systems), style=style, end_section=last
            )
        return table

    def _cell(self, learner: str, system: str) -> Text:
        place, score = (learner, system), self.score(learner, system)
        if place not in self._values:
            return Text("·", style="dim")
        if score is None:
            ending = self._endings.get(place, "none")
            return Text(ending, style="dim" if ending == "skipped" else "red")
        text = Text(f"{score:.2f}" if 0.1 <= abs(score) < 1000 or score == 0 else f"{score:.2g}")
        if learner in self.learners and self._is_best(learner, system):
            text.stylize("bold green")
        if place in self._endings:
            text.append("*", style="red")
        return text

    def _is_best(self, learner: str, system: str) -> bool:
        known = [other for other in self.learners if (other, system) in self._values]
        return self.metric["better"] != "truth" and self._loss(learner, system) == min(
            self._loss(other, system) for other in known
        )

    def _loss(self, learner: str, system: str) -> float:
        """The median over all seeds."""
        return median(self._losses[learner, system])
