"""Running cells side by side, each in a process of its own, so that none can take another's result with it."""

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from bench.cells.cell import Cell
from bench.cells.key import Planned
from bench.errors import UserError
from bench.request import Cache, Conditions
from bench.runner.events import Cached, Damaged, Event, Finished, Started, ignore
from bench.runner.outcomes import Interrupted, Outcome
from bench.runner.processes import abandon_start
from bench.runner.supervisor import is_settled, make_data, supervise
from bench.runner.task import Stop, Task, threads_of
from results import DamagedCellError, MissingCellError, Record, Store
from results.store.lease import Lease, leased
from results.store.record import is_failure

POLL = 0.5  # seconds between two looks at cells that other runs are working on


def run(
    cells: Sequence[Planned], store: Store, conditions: Conditions, notify: Callable[[Event], None] = ignore
) -> Outcome:
    """Run the cells that the store lacks, and keep each in the store as it ends.

    A cell that crashes, uses too much memory or is not done in time is kept too, as failed. Failed cells count as
    finished. `conditions.rerun` runs finished cells anew: those that "failed", "all", or those of the system or learner
    of this name or label. With the cache to be ignored nothing counts as finished, with the cache only nothing is run.
    `notify` is called with every event, in this thread.

    Raises Interrupted on ^C, once all processes are gone, UserError where a cell cannot be sent to another process, and
    OSError where the store cannot be written.
    """
    outcome = Outcome()
    leased(store)  # asking after them clears away the leases of the dead
    try:
        due = partition(cells, store, conditions, notify, outcome)
        if conditions.cache != Cache.ONLY:
            threads = max((threads_of(task, conditions, conditions.jobs) for task in due), default=1)
            Scheduler(store, conditions, threads, notify, due, outcome).run()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(outcome) from interrupt
    return outcome


def partition(
    cells: Sequence[Planned], store: Store, conditions: Conditions, notify: Callable[[Event], None], outcome: Outcome
) -> list[Task]:
    """Record the cells that the store has, and return tasks for all others, each cell once; tell what is damaged."""
    due = []
    for planned in {planned.key: planned for planned in cells}.values():
        records = None
        try:
            store.verify(planned.key)
            records = store.records(planned.key)
        except MissingCellError:
            pass
        except DamagedCellError as error:
            notify(Damaged(planned, str(error)))
        if records is not None and not is_due(planned.cell, records, conditions):
            outcome.records[planned.key] = records
            notify(Cached(planned, records))
        else:
            due.append(Task(planned, records is not None, needs_main(planned.cell)))
    return due


def is_due(cell: Cell, records: Sequence[Record], conditions: Conditions) -> bool:
    """Whether a finished cell is to be run again."""
    rerun = "all" if conditions.cache == Cache.IGNORE else conditions.rerun
    return rerun == "all" or (rerun == "failed" and is_failure(records)) or rerun in cell.names


@dataclass(eq=False)
class Scheduler:
    """Tasks that wait and tasks that are at work, each under a supervisor in a thread of its own."""

    store: Store
    conditions: Conditions
    threads: int  # of each process
    notify: Callable[[Event], None]
    waiting: list[Task]
    outcome: Outcome
    running: dict[Future[Any], Task] = field(default_factory=dict)
    making: dict[Future[Any], Path] = field(default_factory=dict)  # data
    elsewhere: dict[Task, Lease] = field(default_factory=dict)  # other runs, or processes that are dying, have these
    made: set[Path] = field(default_factory=set)  # data that were made, or that nobody could make
    stop: Stop = field(default_factory=Stop)

    def run(self) -> None:
        """Run all that waits, and wait for what other runs are working on."""
        with ThreadPoolExecutor(self.conditions.jobs) as supervisors:
            try:
                while self.waiting or self.running or self.making or self.elsewhere:
                    self._take_over()
                    while len(self.running) + len(self.making) < self.conditions.jobs and (task := self._next()):
                        self._start(task, supervisors)
                    if not self.running and not self.making:
                        sleep(POLL if self.elsewhere else 0)
                        continue
                    patience = POLL if self.elsewhere else None
                    for future in wait([*self.running, *self.making], patience, FIRST_COMPLETED).done:
                        self._finish(future)
            finally:
                self.stop.now.set()
                abandon_start()

    def _next(self) -> Task | None:
        """The first task whose data are not in the making; what has lost several fork servers has to be alone."""
        task = next((task for task in self.waiting if task.planned.data not in self.making.values()), None)
        needs_alone = [one for one in (task, *self.running.values()) if one and one.losses > 1]
        return None if needs_alone and self.running else task

    def _start(self, task: Task, supervisors: ThreadPoolExecutor) -> None:
        """Start a task, or first of all the making of its data; unless another run has finished it by now."""
        planned = task.planned
        arguments = (self.store, self.conditions, self.threads, self.stop)
        if planned.data not in self.made and not planned.data.exists():
            self.making[supervisors.submit(make_data, task, *arguments)] = planned.data
            return
        self.waiting.remove(task)
        if not task.began:
            if not task.replace and self.store.finished(planned.key):
                self.outcome.records[planned.key] = self.store.records(planned.key)
                self.notify(Cached(planned, self.outcome.records[planned.key]))
                return
            self.notify(Started(planned))
        self.running[supervisors.submit(supervise, task, *arguments)] = task

    def _finish(self, future: Future[Any]) -> None:
        if future in self.making:
            future.result()
            self.made.add(self.making.pop(future))
            return
        task = self.running.pop(future)
        found: Outcome = future.result()
        self.outcome.computed.extend(found.computed)
        if found.records:
            self._record_result(task, found.records[task.planned.key])
        elif not self.stop.soon.is_set():
            self.elsewhere[task] = Lease(self.store, task.planned.key)

    def _take_over(self) -> None:
        """Record what other runs have finished, and have what they have left, or nobody has, wait again."""
        for task, lease in list(self.elsewhere.items()):
            if not lease.is_free():
                continue
            self.elsewhere.pop(task, None)
            if is_settled(task, self.store):
                self._record_result(task, self.store.records(task.planned.key))
            elif not self.stop.soon.is_set():
                self.waiting.insert(len(self.waiting) if task.losses > 1 else 0, task)

    def _record_result(self, task: Task, records: list[Record]) -> None:
        self.outcome.records[task.planned.key] = records
        self.notify(Finished(task.planned, records, perf_counter() - task.began))
        if self.conditions.fail_fast and is_failure(records):
            self.stop.soon.set()
            self.waiting.clear()
            self.elsewhere.clear()


def needs_main(cell: Cell) -> bool:
    """Whether a cell refers to classes of `__main__`. Raises UserError where no other process can be sent the cell."""
    try:
        return b"__main__" in pickle.dumps(cell)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UserError(
            f"{cell.learner_label} on {cell.system_label} cannot be sent to another process ({error}): "
            "define its classes and functions at the top level of a module"
        ) from error
