"""The supervisor of one cell: it starts a process, waits for its end, kills it when it is late, and tries again."""

import shutil
from pathlib import Path
from time import perf_counter

from bench.cells.files import write_files
from bench.cells.records import failed
from bench.cells.trial import Trial
from bench.machine.environment import environment
from bench.request import Conditions
from bench.runner import worker
from bench.runner.outcomes import TRANSIENT, Outcome, cause_of_death, memory_kills
from bench.runner.processes import Ended, end_server, run_process
from bench.runner.task import FailedAttempt, Report, Stop, Task, write_attempts
from results import Status, Store
from results.store.lease import Lease

LOSSES = 3  # fork servers that a cell may take with it
LOG_END = 4000  # characters of the log of a failed attempt that are kept
OUTDATED = "its files have changed since the run was planned, so that nothing is kept: the same command runs it anew"


def supervise(task: Task, store: Store, conditions: Conditions, threads: int, stop: Stop) -> Outcome:
    """Run one cell in a process of its own, and in others where that may help, until its outcome is in the store.

    Returns an empty outcome where the cell has to wait, as another run is at work on it or its fork server has died,
    and where it was stopped. Where its files have changed since it was planned, its records are not in the store.
    Raises OSError where the store cannot be written.
    """
    planned = task.planned
    while not stop.now.is_set():
        task.found = inode(store, planned.key)
        kills = memory_kills()
        ended = run_process(
            worker.run_task, task, store, threads, conditions.memory,
            threads=threads, device=planned.cell.device, sees_main=task.sees_main,
            timeout=conditions.timeout, stop=stop.now,
        )  # fmt: skip
        task.began = task.began or ended.began
        report: Report = ended.reports[-1] if ended.reports else Report()
        log = _take_log(report.folder)
        if stop.now.is_set():
            Lease(store, planned.key).is_free()  # removes what the dead have left of it
            return Outcome()
        if report.error:
            raise report.error
        if report.ending == "busy":
            return Outcome()
        if report.ending == "plan_outdated":
            return _outdated(task)
        if report.ending == "server_outdated":
            end_server(ended.server)
            continue
        is_kept = report.ending == "kept"
        if ended.is_lost and not is_kept:
            task.losses += 1
            if task.losses < LOSSES:
                return Outcome()
        if is_kept:
            records = store.records(planned.key)
            failure: tuple[Status, str] | None = next(
                ((one.status, one.reason) for one in records if one.status in TRANSIENT), None
            )
        else:
            failure = _cause(ended, log, kills, conditions)
        can_try_again = len(task.attempts) < conditions.retries and not stop.soon.is_set()
        if failure and failure[0] in TRANSIENT and can_try_again:
            log = store.log(planned.key) if is_kept else log
            task.attempts.append(FailedAttempt(*failure, round(ended.seconds, 3), log[-LOG_END:]))
            task.replace |= is_kept
            if ended.is_lost:
                return Outcome()
            continue
        if failure and not is_kept:
            if not task.sees_main and not worker.is_current(planned):  # what failed may have been other code
                return _outdated(task)
            if not keep_failure(task, store, *failure, log, threads):
                return Outcome()
        return Outcome({planned.key: store.records(planned.key)}, [planned.key])
    return Outcome()


def make_data(task: Task, store: Store, conditions: Conditions, threads: int, stop: Stop) -> None:
    """Make the data that a cell needs in a process of their own; where it fails, so will those of the cells."""
    run_process(
        worker.make_data, task.planned, store, threads, conditions.memory,
        threads=threads, device=task.planned.cell.device, sees_main=task.sees_main,
        timeout=conditions.timeout, stop=stop.now,
    )  # fmt: skip


def is_settled(task: Task, store: Store) -> bool:
    """Whether another run has finished a cell that had to wait for it."""
    key = task.planned.key
    return store.finished(key) and not (task.replace and inode(store, key) == task.found)


def keep_failure(task: Task, store: Store, status: Status, reason: str, log: str, threads: int) -> bool:
    """Keep a cell whose process could not do so itself, as failed; False where another run is at work on it."""
    planned = task.planned
    lease = Lease(store, planned.key)
    if not lease.acquire():
        return False
    try:
        if task.attempts:
            reason = f"{reason} (attempt {len(task.attempts) + 1})"
        trials = [Trial(failed(planned.cell, seed, status, reason)) for seed in planned.cell.seeds]
        surroundings = environment(planned.cell.device, threads, task.command)
        with store.stage(planned.key, task.replace) as folder:
            (folder / "log.txt").write_text(f"{log}{status}: {reason}\n", encoding="utf-8")
            write_attempts(folder, task.attempts)
            seconds = perf_counter() - task.began if task.began else 0.0
            write_files(folder, planned, trials, surroundings, seconds)
    finally:
        lease.release()
    return True


def inode(store: Store, key: str) -> int:
    """What tells a cell of the store from another that takes its place; zero where there is none."""
    try:
        return store.path(key).stat().st_ino
    except FileNotFoundError:
        return 0


def _outdated(task: Task) -> Outcome:
    cell = task.planned.cell
    return Outcome({task.planned.key: [failed(cell, seed, "crashed", OUTDATED) for seed in cell.seeds]})


def _cause(ended: Ended, log: str, kills: int, conditions: Conditions) -> tuple[Status, str]:
    """Why a process has not kept its cell; `kills` are those for lack of memory before it had started."""
    if ended.is_lost:
        return "crashed", "its fork server died with it, again and again"
    if ended.is_late:
        return "timeout", f"not done after {conditions.timeout:g} s"
    return cause_of_death(ended.exit_code, log, memory_kills() > kills)


def _take_log(folder: Path | None) -> str:
    """The log of an unfinished cell, whose files are removed."""
    if folder is None:
        return ""
    path = folder / "log.txt"
    log = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    shutil.rmtree(folder, ignore_errors=True)
    return log
