"""The progress of a run: a live display on a terminal, plain lines elsewhere."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from time import perf_counter
from typing import Any, NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bench.display.leaderboard import Leaderboard
from bench.display.tables import FailedCell, duration
from bench.runner.events import Cached, Damaged, Event, Finished, Started
from results import Record
from results.store.record import is_failure, relabelled

RESULTS = {"diverged": "models diverged", "solver_failed": "solvers gave up"}  # endings that are no failures


class Place(NamedTuple):
    """Where a cell stands in the grid of a suite."""

    system: str
    learner: str


class Progress:
    """Counts what becomes of the cells of a run, announces each, and estimates how long the rest will take.

    Args:
        manifest: of the run.
        jobs: cells at a time.
        announce: is called with a line for each damaged and each finished cell.
        is_live: a display shows what is finished, so that only damage is announced.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        jobs: int = 1,
        announce: Callable[[str], Any] | None = None,
        is_live: bool = False,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.leaderboard = Leaderboard(manifest)
        self.waiting = {cell["key"]: Place(cell["system"], cell["learner"]) for cell in manifest["cells"]}
        self.running: dict[str, tuple[Place, float]] = {}  # by key, with the time of the start
        self.total = len(self.waiting)
        self.done = 0
        self.reused = 0
        self.failures: list[FailedCell] = []
        self.endings: Counter[str] = Counter()  # cells with a trial that ended in one of RESULTS
        self.unmeasured: list[FailedCell] = []  # cells of wanted learners without a value
        self.measured = False  # whether any trial of a wanted learner has one
        asked = {place.learner for place in self.waiting.values()}
        self._wanted = asked.difference(self.leaderboard.references) or asked
        self._jobs = jobs
        self._announce = announce or (lambda line: None)
        self._is_live = is_live
        self._clock = clock
        self._seconds: dict[str, list[float]] = {}  # that finished cells took, by learner

    def notify(self, event: Event) -> None:
        """Count what has become of a cell, and announce it."""
        key = event.planned.key
        match event:
            case Damaged():
                self._announce(f"damaged: {event.reason}")
            case Cached():
                place = self.waiting.pop(key)
                self.reused += 1
                self._count(place, key, relabelled(event.records, place.learner))
            case Started():
                self.running[key] = self.waiting.pop(key), self._clock()
            case Finished():
                place, _ = self.running.pop(key)
                records = relabelled(event.records, place.learner)
                self._seconds.setdefault(place.learner, []).append(event.seconds)
                self.done += 1
                self._count(place, key, records)
                if self._is_live:
                    return
                count = f"{self.done + self.reused:>{len(str(self.total))}}/{self.total}"
                status = next((record.status for record in records if record.status != "ok"), "ok")
                score = self.leaderboard.score(place.learner, place.system)
                result = status if score is None else f"{status}  {self.leaderboard.metric['name']} {score:.3g}"
                line = f"[{count}] {place.system}  {place.learner}  {result}  {duration(event.seconds)}"
                self._announce(line)

    def active(self) -> list[tuple[Place, float]]:
        """The cells that run, each with the seconds since its start."""
        return [(place, self._clock() - start) for place, start in list(self.running.values())]

    def seconds_left(self) -> float | None:
        """Estimate by the time that finished cells of the same learner took, or else of any; None before the first."""
        finished = [seconds for times in self._seconds.values() for seconds in times]
        active = self.active()
        if not finished:
            return None
        otherwise = max([fmean(finished), *(elapsed for _, elapsed in active)])
        expected = {learner: fmean(times) for learner, times in self._seconds.items()}
        rest = [expected.get(place.learner, otherwise) for place in list(self.waiting.values())]
        rest += [max(0.0, expected.get(place.learner, otherwise) - elapsed) for place, elapsed in active]
        return max(sum(rest) / self._jobs, max(rest, default=0.0))

    def _count(self, place: Place, key: str, records: Sequence[Record]) -> None:
        self.leaderboard.add(records)
        self.failures += [FailedCell(key, record) for record in records if is_failure([record])][:1]
        self.endings.update({record.status for record in records}.intersection(RESULTS))
        if place.learner not in self._wanted:
            return
        if any(one.value is not None for record in records for one in record.measurements):
            self.measured = True
        else:
            self.unmeasured += [FailedCell(key, record) for record in records][:1]


def live(progress: Progress, console: Console) -> Live:
    """A display that follows the progress until its context is left, and then vanishes."""
    spinner = Spinner("dots", style="cyan")
    return Live(
        console=console, get_renderable=partial(render, progress, spinner), transient=True, refresh_per_second=4
    )


def render(progress: Progress, spinner: Spinner) -> Group:
    """How far the run is, one row for each cell that runs, and the leaderboard so far."""
    ready = progress.done + progress.reused
    left = progress.seconds_left()
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(ratio=1)
    bar.add_row(ProgressBar(progress.total, ready), Text(f"{ready}/{progress.total}", style="bold"))
    counts = Text(f"{progress.done} done · {progress.reused} cached · {len(progress.running)} running")
    if progress.failures:
        counts.append(f" · {len(progress.failures)} failed", style="red")
    if left is not None:
        counts.append(f" · about {duration(left)} left", style="cyan")
    cells = Table.grid(padding=(0, 1))
    for place, elapsed in progress.active():
        cells.add_row(spinner, Text(place.system), Text(place.learner), Text(duration(elapsed), style="dim"))
    return Group(bar, counts, cells, "", progress.leaderboard) if ready else Group(bar, counts, cells)
