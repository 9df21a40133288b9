"""Running cells side by side, each in a process of its own, so that none can take another's result with it."""

import pickle
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import perf_counter
from typing import Literal, Protocol, cast

import psutil

from bench import worker
from bench.artifacts import write
from bench.cell import Cell
from bench.data import location
from bench.environment import cores, environment
from bench.errors import UserError, one_line
from bench.key import key
from bench.trial import Trial, failed
from results import Record, Status, Store

Rerun = Literal["none", "failed", "all"]
TRANSIENT: tuple[Status, ...] = ("crashed", "out_of_memory")  # what may end better when tried again
BYTES_A_JOB = 1.5 * 2**30


class Observer(Protocol):
    """Who is told of a run as it goes. Each cell is either cached, or started and finished; none is told of twice."""

    def cached(self, cell: Cell, key: str, records: Sequence[Record]) -> None: ...

    def started(self, cell: Cell, key: str) -> None: ...

    def finished(self, cell: Cell, key: str, records: Sequence[Record], seconds: float) -> None: ...


class Silent:
    """An observer that says nothing."""

    def cached(self, cell: Cell, key: str, records: Sequence[Record]) -> None: ...

    def started(self, cell: Cell, key: str) -> None: ...

    def finished(self, cell: Cell, key: str, records: Sequence[Record], seconds: float) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """The records of every cell that has some by now, by key; and which of these were computed by this run."""

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


def run(
    cells: Sequence[Cell],
    store: Store,
    jobs: int,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    rerun: Rerun = "none",
    observer: Observer | None = None,
) -> Outcome:
    """Compute the cells that the store lacks, at most `jobs` at a time, and keep each in the store as it ends.

    A cell that crashes, or is not done after `timeout` seconds, is kept too, as failed. Failed cells count as finished
    and are computed again with `rerun="failed"` only. `retries` is for crashes and lack of memory. After a failure,
    `fail_fast` starts nothing more, but lets the cells that run come to their end.

    Raises Interrupted on ^C, once all processes are gone; UserError where a cell cannot be sent to another process;
    OSError where the store cannot be written.
    """
    if jobs < 1:
        raise ValueError(f"a run needs at least one job, but jobs={jobs}")
    session = _Session(store, jobs, timeout, retries, fail_fast, observer or Silent())
    try:
        session.plan(cells, rerun)
        session.work()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(session.outcome) from interrupt
    finally:
        session.stop()
    return session.outcome


def default_jobs() -> int:
    """One job for each physical core, as far as the memory goes."""
    return max(1, min(cores(), int(psutil.virtual_memory().available / BYTES_A_JOB)))


def is_failure(records: Sequence[Record]) -> bool:
    """Whether a trial of a cell did not end well."""
    return any(record.status not in ("ok", "skipped") for record in records)


@dataclass(eq=False)
class _Job:
    """A cell to compute or, without a key, the data that it needs."""

    cell: Cell
    data: Path
    key: str = ""
    replaces: bool = False  # what the store has under this key
    sees_main: bool = False  # the cell is made of classes of the program's own `__main__`
    attempts: int = 0
    begin: float = 0.0  # of the first attempt


@dataclass(frozen=True, eq=False)
class _Worker:
    """A job, and the process that does it."""

    job: _Job
    process: BaseProcess
    staged: Connection  # over which it says where the files lie until they are committed
    begin: float


@dataclass(eq=False)
class _Session:
    """One run: what waits, what is at work, what came of it."""

    store: Store
    jobs: int
    timeout: float | None
    retries: int
    fail_fast: bool
    observer: Observer
    outcome: Outcome = field(default_factory=Outcome)
    waiting: list[_Job] = field(default_factory=list)
    working: dict[int, _Worker] = field(default_factory=dict)  # by the sentinel of the process

    @property
    def threads(self) -> int:
        """Of each process, so that together they do not outnumber the cores."""
        return max(1, cores() // self.jobs)

    def plan(self, cells: Sequence[Cell], rerun: Rerun) -> None:
        """Tell what is cached, and queue the rest in its order, missing data before the first cell that needs them."""
        folder, asked = self.store.root / "data", set()
        for name, cell in {key(cell): cell for cell in cells}.items():
            records = self.store.records(name) if self.store.finished(name) else None
            if records is not None and not _is_due(records, rerun):
                self.outcome.records[name] = records
                self.observer.cached(cell, name, records)
                continue
            data, sees_main = location(cell.system, cell.sampling, cell.data_seed, folder), _needs_main(cell)
            if data not in asked and not data.exists():
                self.waiting.append(_Job(cell, data, sees_main=sees_main))
            asked.add(data)
            self.waiting.append(_Job(cell, data, name, records is not None, sees_main))

    def work(self) -> None:
        """Do all that waits."""
        if self.waiting:
            worker.warm_up(self.threads)
        while self.waiting or self.working:
            while len(self.working) < self.jobs and (job := self._next()) is not None:
                self._start(job)
            for sentinel in wait(list(self.working), self._patience()):
                self._finish(cast(int, sentinel))
            for sentinel, active in list(self.working.items()):
                if self.timeout is not None and perf_counter() - active.begin >= self.timeout:
                    active.process.kill()
                    self._finish(sentinel, timed_out=True)

    def stop(self) -> None:
        """End all processes, and remove what they have not finished."""
        for active in self.working.values():
            active.process.kill()
        for sentinel, active in list(self.working.items()):
            active.process.join()
            _discard(_staged(active))
            del self.working[sentinel]

    def _next(self) -> _Job | None:
        """The first job whose data are not in the making."""
        making = {active.job.data for active in self.working.values() if not active.job.key}
        job = next((job for job in self.waiting if job.data not in making), None)
        if job is not None:
            self.waiting.remove(job)
        return job

    def _patience(self) -> float | None:
        """Seconds until the next process is late."""
        if self.timeout is None:
            return None
        return max(0.0, min(active.begin for active in self.working.values()) + self.timeout - perf_counter())

    def _start(self, job: _Job) -> None:
        if job.key and not job.attempts:
            self.observer.started(job.cell, job.key)
        if job.replaces:
            shutil.rmtree(self.store.path(job.key))
        begin = perf_counter()
        job.begin, job.attempts = job.begin or begin, job.attempts + 1
        mine, theirs = worker.CONTEXT.Pipe(duplex=False)
        with theirs:
            arguments = (job.cell, job.key, self.store, self.threads, theirs)
            process = worker.start(
                worker.run_cell if job.key else worker.make_data, *arguments, sees_main=job.sees_main
            )
        self.working[process.sentinel] = _Worker(job, process, mine, begin)

    def _finish(self, sentinel: int, timed_out: bool = False) -> None:
        """Take in what a process has left, whatever ended it."""
        done = self.working[sentinel]
        done.process.join()
        job, folder = done.job, _staged(done)
        del self.working[sentinel]
        if not job.key:
            return
        if not self.store.finished(job.key):
            self._bury(job, folder, *(self._lateness() if timed_out else _cause(done.process.exitcode, folder)))
        _discard(folder)
        records = self.store.records(job.key)
        if job.attempts <= self.retries and any(record.status in TRANSIENT for record in records):
            job.replaces = True
            self.waiting.insert(0, job)
            return
        self.outcome.records[job.key] = records
        self.outcome.computed.append(job.key)
        self.observer.finished(job.cell, job.key, records, perf_counter() - job.begin)
        if self.fail_fast and is_failure(records):
            self.waiting.clear()

    def _bury(self, job: _Job, folder: Path | None, status: Status, reason: str) -> None:
        """Keep a cell whose process did not, with the log that it has left."""
        if job.attempts > 1:
            reason = f"{reason} (attempt {job.attempts})"
        trials = [Trial(failed(job.cell, seed, status, reason)) for seed in job.cell.seeds]
        surroundings = environment(job.cell.device, self.threads)
        with self.store.stage(job.key) as grave:
            (grave / "log.txt").write_text(f"{_log(folder)}{status}: {reason}\n", encoding="utf-8")
            write(grave, job.cell, job.key, trials, surroundings, perf_counter() - job.begin)

    def _lateness(self) -> tuple[Status, str]:
        return "timeout", f"not done after {self.timeout:g} s"


def _is_due(records: Sequence[Record], rerun: Rerun) -> bool:
    return rerun == "all" or (rerun == "failed" and is_failure(records))


def _needs_main(cell: Cell) -> bool:
    """Whether a cell refers to classes of `__main__`. Raises UserError where no other process can be sent the cell."""
    try:
        return b"__main__" in pickle.dumps(cell)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UserError(
            f"{cell.learner_label} on {cell.system_label} cannot be sent to another process ({error}): "
            "define its classes and functions at the top level of a module"
        ) from error


def _cause(exit_code: int | None, folder: Path | None) -> tuple[Status, str]:
    """What a process died of; a negative exit code is the number of a signal."""
    if exit_code is None or exit_code >= 0:
        last = _log(folder).strip().rpartition("\n")[2]
        return "crashed", one_line(f"the process ended with exit code {exit_code}" + (f": {last}" if last else ""))
    name = signal.Signals(-exit_code).name
    return "crashed", f"killed by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")


def _staged(done: _Worker) -> Path | None:
    """Where a process that has ended was writing the files of its cell."""
    with done.staged as connection:
        try:
            return connection.recv() if connection.poll() else None
        except EOFError:
            return None


def _log(folder: Path | None) -> str:
    path = folder / "log.txt" if folder else None
    return path.read_text(encoding="utf-8", errors="replace") if path and path.exists() else ""


def _discard(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
