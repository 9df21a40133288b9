"""One run on this machine: what waits, what is at work, what came of it."""

import shutil
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import perf_counter
from typing import cast

import psutil

from bench.cells.cell import failed, key
from bench.cells.files import write
from bench.cells.trial import Trial
from bench.machine.environment import environment
from bench.runner import processes, worker
from bench.runner.job import Attempt, Conditions, Job, Note, Task, Terms, keep_attempts
from bench.runner.outcomes import TRANSIENT, Observer, Outcome, cause, memory_kills
from bench.runner.processes import Started
from results import Record, Status, Store
from results.store.lease import Lease
from results.store.record import is_failure

POLL = 0.5  # seconds between two looks at cells that other processes are working on
ORPHAN_SECONDS = 5.0  # that a process may take to die
LOSSES = 3  # fork servers that a cell may take with it, being alone with the last of them
LOG_END = 4000  # characters of the log of a failed attempt that are kept
OUTDATED = "its files have changed since the run was planned, so that nothing is kept: the same command runs it anew"


@dataclass(frozen=True, eq=False)
class Active:
    """A job, and the process that does it."""

    job: Job
    started: Started
    notes: Connection
    begin: float
    kills: int  # for lack of memory, before it was started

    @property
    def process(self) -> BaseProcess:
        return self.started.process


@dataclass(eq=False)
class Session:
    """One run of the jobs that wait. `stop` must be called at its end, however it ends."""

    store: Store
    conditions: Conditions
    observer: Observer
    waiting: list[Job]
    outcome: Outcome
    working: dict[int, Active] = field(default_factory=dict)  # by the sentinel of the process
    elsewhere: dict[str, tuple[Job, Lease]] = field(default_factory=dict)  # at work in other runs
    stopping: bool = False  # a failure has ended the run, but for what is at work

    def work(self) -> None:
        """Do all that waits; what other runs are working on is waited for."""
        while self.waiting or self.working or self.elsewhere:
            while len(self.working) < self.conditions.jobs and (job := self._next()) is not None:
                self._start(job)
            for sentinel in wait(list(self.working), self._patience()):
                self._finish(cast(int, sentinel))
            self._stop_late_ones()
            self._look_elsewhere()

    def stop(self) -> None:
        """End all processes, and remove what they have not finished."""
        for active in self.working.values():
            active.process.kill()
        for sentinel, active in list(self.working.items()):
            active.process.join()
            _discard(_last_note(active).folder)
            if active.job.key:
                Lease(self.store, active.job.key).is_free()  # removes what the dead have left of it
            del self.working[sentinel]

    @property
    def _terms(self) -> Terms:
        return Terms(self.store, self.conditions.threads_each, self.conditions.memory, self.conditions.command)

    def _next(self) -> Job | None:
        """The first job whose data are not in the making; who has lost several fork servers has to be alone."""
        making = {active.job.data for active in self.working.values() if not active.job.key}
        alone = any(active.job.lost > 1 for active in self.working.values())
        job = next((job for job in self.waiting if job.data not in making), None)
        if alone or (job is not None and job.lost > 1 and self.working):
            return None
        if job is not None:
            self.waiting.remove(job)
        return job

    def _patience(self) -> float | None:
        """Seconds until there is something to be seen to, unless a process ends before; None where none is late."""
        if not self.working and not self.elsewhere:  # another run had done the rest already
            return 0.0
        timeout, now = self.conditions.timeout, perf_counter()
        late = [active.begin + timeout - now for active in self.working.values()] if timeout is not None else []
        return min((max(0.0, seconds) for seconds in (*late, *([POLL] if self.elsewhere else []))), default=None)

    def _start(self, job: Job) -> None:
        if job.key and not job.begin:
            if not job.replace and self.store.finished(job.key):  # by another run, since this one was planned
                return self._take_in(job, computed=False)
            self.observer.started(job.cell, job.key)
        processes.warm_up(self._terms.threads)  # which may take seconds that are not the cell's
        job.begin, job.found = job.begin or perf_counter(), _which(self.store, job.key)
        mine, theirs = processes.CONTEXT.Pipe(duplex=False)
        task = Task(job.cell, job.key, job.replace, tuple(job.attempts), job.sees_main)
        with theirs:
            if job.key:
                order, target = (task, self._terms, theirs), worker.run_cell
            else:
                order, target = (job.cell, self._terms), worker.make_data
            started = processes.start(target, *order, threads=self._terms.threads, sees_main=job.sees_main)
        self.working[started.process.sentinel] = Active(job, started, mine, perf_counter(), memory_kills())
        return None

    def _finish(self, sentinel: int, timed_out: bool = False) -> None:
        """Take in what a process has left, whatever ended it."""
        done = self.working.pop(sentinel)
        done.process.join()
        job, note = done.job, _last_note(done)
        if done.started.is_lost:
            return self._recover(done, note)
        if note.unwritable:
            raise note.unwritable
        if note.busy:
            self.elsewhere[job.key] = job, Lease(self.store, job.key)
        elif note.outdated:
            self._look_again(done, note)
        elif note.kept:
            self._take_in(job)
        elif job.key:
            log = _log(note.folder)
            ending = self._lateness() if timed_out else cause(done.process.exitcode, log, memory_kills() > done.kills)
            self._fail(job, *ending, log)
            _discard(note.folder)
        return None

    def _take_in(self, job: Job, computed: bool = True) -> None:
        """Tell of a cell that the store has, unless it may end better when tried again."""
        records = self.store.records(job.key)
        transient = next((record for record in records if record.status in TRANSIENT), None)
        if (
            computed
            and transient
            and self._tries_again(job, transient.status, transient.reason, self.store.log(job.key))
        ):
            job.replace = True
            return
        if not computed and not job.begin:
            self.outcome.records[job.key] = records
            self.observer.cached(job.cell, job.key, records)
            return
        if computed:
            self.outcome.computed.append(job.key)
        self._tell(job, records)

    def _tell(self, job: Job, records: list[Record]) -> None:
        """Tell of the end of a cell that was begun."""
        self.outcome.records[job.key] = records
        self.observer.finished(job.cell, job.key, records, perf_counter() - job.begin)
        if self.conditions.fail_fast and is_failure(records):
            self.stopping = True
            self.waiting.clear()
            self.elsewhere.clear()

    def _look_again(self, done: Active, note: Note) -> None:
        """Begin anew with a fork server that knows the files as they are; leave alone what was planned with others."""
        if note.outdated == "server":
            processes.retire(done.started.server)
            self._put_back(done.job)
            return
        cell = done.job.cell
        self._tell(done.job, [failed(cell, seed, "crashed", OUTDATED) for seed in cell.seeds])

    def _fail(self, job: Job, status: Status, reason: str, log: str) -> None:
        """Try a cell again whose process failed, or keep the failure with the log that it has left."""
        if not job.sees_main and not _as_planned(job):  # what failed may have been other code
            self._tell(job, [failed(job.cell, seed, "crashed", OUTDATED) for seed in job.cell.seeds])
            return
        if status in TRANSIENT and self._tries_again(job, status, reason, log):
            return
        lease = Lease(self.store, job.key)
        if not lease.acquire():  # another run has begun with it already
            self.elsewhere[job.key] = job, lease
            return
        try:
            bury(self.store, job, status, reason, log, self.conditions)
        finally:
            lease.release()
        self._take_in(job)

    def _tries_again(self, job: Job, status: Status, reason: str, log: str) -> bool:
        if self.stopping or len(job.attempts) >= self.conditions.retries:
            return False
        seconds = perf_counter() - job.begin - sum(attempt.seconds for attempt in job.attempts)
        job.attempts.append(Attempt(status, reason, round(seconds, 3), log[-LOG_END:]))
        self._put_back(job)
        return True

    def _put_back(self, job: Job, last: bool = False) -> None:
        """Have a job wait once more, unless a failure has ended the run."""
        if not self.stopping:
            self.waiting.insert(len(self.waiting) if last else 0, job)

    def _recover(self, lost: Active, note: Note) -> None:
        """Begin anew with a job whose process was lost sight of, as the fork server died: that is no fault of its."""
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            orphan = psutil.Process(lost.process.pid)
            orphan.kill()
            orphan.wait(ORPHAN_SECONDS)  # its lease is free only then
        job, log = lost.job, _log(note.folder)
        _discard(note.folder)
        job.lost += 1
        if note.kept:
            self._take_in(job)
        elif job.lost < LOSSES:
            self._put_back(job, last=job.lost > 1)
        elif job.key:
            self._fail(job, "crashed", "its fork server died with it, again and again", log)

    def _stop_late_ones(self) -> None:
        for sentinel, active in list(self.working.items()):
            if self.conditions.timeout is not None and perf_counter() - active.begin >= self.conditions.timeout:
                active.process.kill()
                self._finish(sentinel, timed_out=True)

    def _look_elsewhere(self) -> None:
        """Take in what other runs have finished, and take over what they have left."""
        for name, (job, lease) in list(self.elsewhere.items()):
            if not lease.is_free():
                continue
            self.elsewhere.pop(name, None)
            if self.store.finished(name) and not (job.replace and _which(self.store, name) == job.found):
                self._take_in(job, computed=False)
            else:
                self._put_back(job)

    def _lateness(self) -> tuple[Status, str]:
        return "timeout", f"not done after {self.conditions.timeout:g} s"


def bury(store: Store, job: Job, status: Status, reason: str, log: str, conditions: Conditions) -> None:
    """Keep a cell whose process could not do so itself, as failed, with the log that it has left."""
    if job.attempts:
        reason = f"{reason} (attempt {len(job.attempts) + 1})"
    trials = [Trial(failed(job.cell, seed, status, reason)) for seed in job.cell.seeds]
    surroundings = environment(job.cell.device, conditions.threads_each, conditions.command)
    with store.stage(job.key, job.replace) as grave:
        (grave / "log.txt").write_text(f"{log}{status}: {reason}\n", encoding="utf-8")
        keep_attempts(grave, job.attempts)
        write(grave, job.cell, job.key, trials, surroundings, perf_counter() - (job.begin or perf_counter()))


def _as_planned(job: Job) -> bool:
    """Whether the files of a cell are still those of its key, and whole."""
    try:
        return key(job.cell) == job.key
    except (OSError, ValueError, SyntaxError):
        return False


def _which(store: Store, key: str) -> int:
    """What tells a cell of the store from another that takes its place; zero where there is none."""
    try:
        return store.path(key).stat().st_ino if key else 0
    except FileNotFoundError:
        return 0


def _last_note(done: Active) -> Note:
    """What a process that has ended said last; where it said so, with the folder that it was writing into."""
    last, folder = Note(), None
    with done.notes as connection, suppress(EOFError, OSError):
        while connection.poll():
            last = connection.recv()
            folder = last.folder or folder
    return replace(last, folder=folder)


def _log(folder: Path | None) -> str:
    path = folder / "log.txt" if folder else None
    return path.read_text(encoding="utf-8", errors="replace") if path and path.exists() else ""


def _discard(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
