"""Who is ahead: the median over seeds of a suite's leading metric, for each learner on each system."""

from collections.abc import Iterable, Mapping
from math import inf
from statistics import fmean, median
from typing import Any, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from bench.display.tables import grid, panes
from results import Record

LEADING = "vpt"  # the metric that decides, in a suite that has it; in any other its first one
CAPPED = "vpt_capped"  # where this is above a half for all, every forecast reaches the horizon, and the error decides
ERROR = "nrmse"


class _Trial(NamedTuple):
    """What the leading metric says of a trial."""

    value: float | None
    loss: float | None  # that ranks are made of: the smaller the better; None where nothing defines it
    status: str  # in the horizon of that metric
    capped: bool  # whether it predicts up to the horizon
    error: float


class Leaderboard:
    """Scores so far, record by record; a rich renderable as wide as its console.

    Medians are over the trials that have a value. Learners are ordered by their mean rank over the systems, for which a
    trial that failed in training or in the horizon of the metric counts as worse than any value; the reference rows
    follow as the suite has them. A system on which all learners predict up to the horizon is ranked by error.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.systems: list[str] = manifest["systems"]
        self.learners = [learner["label"] for learner in manifest["learners"] if not learner["reference"]]
        self.references = [learner["label"] for learner in manifest["learners"] if learner["reference"]]
        metrics = {metric["name"]: metric for metric in manifest["metrics"]}
        self.metric = metrics.get(LEADING) or next(iter(metrics.values()))
        self._sign = -1.0 if self.metric["better"] == "higher" else 1.0
        self._trials: dict[tuple[str, str], list[_Trial]] = {}  # by learner and system

    def add(self, records: Iterable[Record]) -> None:
        """Count trials in."""
        for record in records:
            measured = {one.metric: one for one in record.measurements}
            mine = measured.get(self.metric["name"])
            value = mine.value if mine else None
            status = record.status if record.status != "ok" or mine is None else mine.status
            loss = None if value is None else self._sign * value
            if status not in ("ok", "skipped"):
                loss = inf
            share, error = (getattr(measured.get(name), "value", None) for name in (CAPPED, ERROR))
            capped = status == "ok" and share is not None and share > 0.5 and self.metric["name"] == LEADING
            trial = _Trial(value, loss, status, capped, inf if error is None else error)
            self._trials.setdefault((record.learner, record.system), []).append(trial)

    def score(self, learner: str, system: str) -> float | None:
        """Median over the seeds that have a value; None where there is none."""
        values = [one.value for one in self._trials.get((learner, system), []) if one.value is not None]
        return median(values) if values else None

    def ranking(self) -> list[str]:
        """The learners under comparison, best first."""
        if self.metric["better"] == "truth":
            return self.learners
        ranks: dict[str, list[float]] = {learner: [] for learner in self.learners}
        for system in self.systems:
            losses = self._losses(system)
            for learner, loss in losses.items():
                ahead = sum(other < loss for other in losses.values())
                level = list(losses.values()).count(loss)
                ranks[learner].append(ahead + level / 2)
        return sorted(self.learners, key=lambda learner: fmean(ranks[learner]) if ranks[learner] else inf)

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
            yield Text(f"{', '.join(full)}: all predict up to the horizon, ranked by {ERROR}", style="dim")
        if {one.status for trials in self._trials.values() for one in trials} - {"ok", "skipped"}:
            yield Text("* some seeds failed", style="red")

    def _cell(self, learner: str, system: str, losses: Mapping[str, float]) -> Text:
        """The score of a learner on a system, marked where its loss is the least of all on that system."""
        if (learner, system) not in self._trials:
            return Text("·", style="dim")
        score = self.score(learner, system)
        ending = next((one.status for one in self._trials[learner, system] if one.status != "ok"), "")
        if score is None:
            ending = ending or "none"
            return Text(ending, style="dim" if ending == "skipped" else "red")
        text = Text(f"{score:.2f}" if 0.1 <= abs(score) < 1000 or score == 0 else f"{score:.2g}")
        if self.metric["better"] != "truth" and learner in losses and losses[learner] == min(losses.values()):
            text.stylize("bold green")
        if ending:
            text.append("*", style="red")
        return text

    def _losses(self, system: str) -> dict[str, float]:
        """The median loss over all seeds of each learner under comparison that has one on a system."""
        tried = {learner: self._trials.get((learner, system), []) for learner in self.learners}
        losses = {learner: [one.loss for one in trials if one.loss is not None] for learner, trials in tried.items()}
        if self._is_saturated(system):
            losses = {learner: [one.error for one in trials] for learner, trials in tried.items()}
        return {learner: median(values) for learner, values in losses.items() if values}

    def _is_saturated(self, system: str) -> bool:
        """Whether most trials of every learner under comparison predict up to the horizon."""
        tried = [self._trials.get((learner, system), []) for learner in self.learners]
        shares = [
            fmean(one.capped for one in trials) for trials in tried if any(one.status != "skipped" for one in trials)
        ]
        return bool(shares) and min(shares) > 0.5
