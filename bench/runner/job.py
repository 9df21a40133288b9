"""What the processes of a run are told, and what they tell."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bench.cells.cell import Cell
from bench.machine.environment import cores
from results import Status, Store


@dataclass(frozen=True)
class Attempt:
    """A try at a cell that failed, and was followed by another."""

    status: Status
    reason: str
    seconds: float
    log: str = ""


def keep_attempts(folder: Path, attempts: Sequence[Attempt]) -> None:
    """Write the attempts before the one whose files these are, if there were any."""
    if attempts:
        content = json.dumps([asdict(attempt) for attempt in attempts], indent=2)
        (folder / "attempts.json").write_text(content + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Conditions:
    """How a run treats its cells."""

    jobs: int
    timeout: float | None = None
    retries: int = 0
    fail_fast: bool = False
    memory: int | None = None  # bytes that each process may use beyond what it starts with
    threads: int = 0  # of each process; 0 for as many as the cores allow
    command: Sequence[str] = ()  # of the user, where it is not that of this program

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ValueError(f"a run needs at least one job, but jobs={self.jobs}")

    @property
    def threads_each(self) -> int:
        """So many that all processes together do not outnumber the cores."""
        return self.threads or max(1, cores() // self.jobs)


@dataclass(eq=False)
class Job:
    """A cell to compute or, without a key, the data that it needs."""

    cell: Cell
    data: Path
    key: str = ""
    replace: bool = False  # what the store has under this key
    sees_main: bool = False  # the cell is made of classes of the program's own `__main__`
    attempts: list[Attempt] = field(default_factory=list)  # that failed
    begin: float = 0.0  # of the first attempt
    found: int = 0  # which cell the store had under this key as the last attempt began
    lost: int = 0  # how often its fork server died while it was at work


@dataclass(frozen=True)
class Terms:
    """The conditions under which the processes of a run work."""

    store: Store
    threads: int  # of each
    memory: int | None = None  # bytes that each may use beyond what it starts with
    command: Sequence[str] = ()  # of the user, for the record; none where this program is his own


@dataclass(frozen=True)
class Task:
    """A cell to compute, and what is known of it."""

    cell: Cell
    key: str
    replace: bool = False  # what the store has under this key
    before: Sequence[Attempt] = ()  # that failed
    sees_main: bool = False  # the cell is made of classes of `__main__`, whose name is another here


@dataclass(frozen=True)
class Note:
    """What the process of a cell tells its parent; the last note counts."""

    folder: Path | None = None  # where its files lie until they are kept
    kept: bool = False  # the cell is in the store
    busy: bool = False  # another process is at work on the cell
    unwritable: OSError | None = None  # the store cannot be written, as when the disk is full
    outdated: Literal["", "server", "plan"] = ""  # what has another code of the cell than there is now
