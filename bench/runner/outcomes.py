"""What comes of a run: records of cells, and what a process died of."""

import signal
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import one_line
from results import Record, Status
from results.store.record import is_failure

TRANSIENT: tuple[Status, ...] = ("crashed", "out_of_memory")  # what may end better when tried again
NO_MEMORY = (
    *("MemoryError", "can't allocate memory", "Cannot allocate memory", "OutOfMemoryError", "std::bad_alloc"),
    "failed to map segment",  # as libraries are loaded
)
EVENTS = Path("/sys/fs/cgroup/memory.events")  # where a container counts the processes killed for lack of memory


@dataclass(frozen=True)
class Outcome:
    """The records of each cell that has some, by key; `computed` are the keys of those that this run has run."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """Keys of the cells with a trial that did not end well."""
        return [key for key, records in self.records.items() if is_failure(records)]


class Interrupted(KeyboardInterrupt):
    """The user stopped the run; what was finished is in the store, and in `outcome`. Nothing half-done is left."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def cause_of_death(exit_code: int | None, log: str, starved: bool) -> tuple[Status, str]:
    """What a process died of. A negative exit code is the number of a signal; `starved`: others died for memory."""
    last = log.strip().rpartition("\n")[2]
    if exit_code is None or exit_code >= 0:
        said = one_line(f"the process ended with exit code {exit_code}" + (f": {last}" if last else ""))
        return ("out_of_memory" if any(sign in last for sign in NO_MEMORY) else "crashed"), said
    names = {each.value: each.name for each in signal.Signals}
    name = names.get(-exit_code, f"signal {-exit_code}")  # real-time signals have none
    if name == "SIGKILL" and starved:
        return "out_of_memory", f"killed by {name}, as memory ran out"
    if any(sign in log for sign in NO_MEMORY):
        return "out_of_memory", f"killed by {name}, after memory had run out"
    return "crashed", f"killed by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")


def memory_kills() -> int:
    """How many processes the system has killed so far, in this container, for lack of memory."""
    try:
        counts = dict(line.split() for line in EVENTS.read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(counts.get("oom_kill", 0))
