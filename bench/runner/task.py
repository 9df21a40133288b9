"""A cell that is being run: what its process is told, and what it tells its supervisor."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Literal

from bench.cells.key import Planned
from bench.machine.environment import cores
from bench.request import Conditions
from results import Status


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt at a cell that failed, and was followed by another."""

    status: Status
    reason: str
    seconds: float
    log: str = ""


@dataclass(eq=False)
class Task:
    """A cell to run, and what came of it so far."""

    planned: Planned
    replace: bool = False  # what the store has under this key
    sees_main: bool = False  # the cell is made of classes of the program's own `__main__`
    command: Sequence[str] = ()  # of the user, where it is not that of this program
    attempts: list[FailedAttempt] = field(default_factory=list)
    began: float = 0.0  # when the first attempt began, by `perf_counter`
    found: int = 0  # inode of what the store had under this key when the last attempt began
    losses: int = 0  # how often its fork server died while it was at work


@dataclass(frozen=True)
class Report:
    """What the process of a cell tells its supervisor; the last report counts."""

    ending: Literal["unfinished", "kept", "busy", "server_outdated", "plan_outdated", "unwritable"] = "unfinished"
    folder: Path | None = None  # where the files of an unfinished cell lie
    error: OSError | None = None  # why the store cannot be written, as when the disk is full


@dataclass(frozen=True)
class Stop:
    """Tells the supervisors of a run to begin no attempt any more, or to kill what is at work."""

    soon: Event = field(default_factory=Event)
    now: Event = field(default_factory=Event)


def threads_of(task: Task, conditions: Conditions, jobs: int) -> int:
    """Threads of a cell that is one of so many at a time: where its networks are small, more than one would only wait.

    Those of larger ones share out the cores.
    """
    return conditions.threads or (1 if task.planned.cell.small else max(1, cores() // jobs))


def write_attempts(folder: Path, attempts: Sequence[FailedAttempt]) -> None:
    """Write the attempts before the one whose files these are, if there were any."""
    if attempts:
        content = json.dumps([asdict(attempt) for attempt in attempts], indent=2)
        (folder / "attempts.json").write_text(content + "\n", encoding="utf-8")
