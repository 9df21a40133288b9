"""Running cells on the workers of a dask cluster, which all see the same store.

A task does no more than to run one cell on its worker, in a process of its own, as a run on that machine would; results
go to the store, and only the key comes back. Where a worker is lost, the scheduler gives its cells to others.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, cast
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed, get_worker

from bench.cell import Cell
from bench.environment import cores
from bench.errors import UserError
from bench.outcomes import Interrupted, Observer, Outcome, Silent, is_failure
from bench.runner import sort_out, with_data
from bench.session import Conditions, Job, Session, bury
from results import Store

AHEAD = 2  # tasks in flight for each thread of the cluster: one at work, one to follow
PATIENCE = 60  # seconds for the first worker to come


def run(
    address: str,
    cells: Sequence[Cell],
    store: Store,
    jobs: int,
    rerun: str = "",
    cache: str = "default",
    observer: Observer | None = None,
    **conditions: Any,
) -> Outcome:
    """Compute the cells that the store lacks on a cluster; without an address on one of `jobs` workers on this machine.

    All else is as in `bench.runner.run`. Cells for a GPU go to workers that were started with the resource GPU. Cells
    that are at work on other machines when the run is interrupted come to their end there, and are kept.
    """
    watcher, outcome = observer or Silent(), Outcome()
    due = sort_out(cells, store, "all" if cache == "ignore" else rerun, watcher, outcome)
    if cache == "only" or not due:
        return outcome
    shared = replace(store, root=store.root.absolute())  # the same in every process
    try:
        with _client(address, jobs) as client:
            _Dispatch(client, shared, Conditions(1, **conditions), watcher, due, outcome).work()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(outcome) from interrupt
    return outcome


def compute(job: Job, store: Store, conditions: Conditions) -> str:
    """What a task does on a worker: run one cell, and return its key."""
    share = max(1, cores() // get_worker().state.nthreads)
    session = Session(store, replace(conditions, threads=share), Silent(), with_data([job]), Outcome())
    try:
        session.work()
    finally:
        session.stop()
    return job.key


@dataclass(eq=False)
class _Dispatch:
    """The cells of one run on a cluster, of which a bounded number is in flight."""

    client: Client
    store: Store
    conditions: Conditions
    observer: Observer
    waiting: list[Job]
    outcome: Outcome
    flying: dict[str, tuple[Job, float]] = field(default_factory=dict)  # by the key of the task

    def work(self) -> None:
        done = as_completed([self._submit() for _ in self.waiting[: self._window()]])
        for future in done:
            self._land(future)
            for _ in self.waiting[: self._window() - len(self.flying)]:
                done.add(self._submit())

    def _window(self) -> int:
        return AHEAD * max(1, sum(cast(dict[str, int], self.client.nthreads()).values()))

    def _submit(self) -> Future:
        job = self.waiting.pop(0)
        task = f"{job.key}-{uuid4().hex[:8]}"
        self.observer.started(job.cell, job.key)
        self.flying[task] = job, perf_counter()
        needs = {"GPU": 1} if job.cell.device.startswith("cuda") else None
        return self.client.submit(compute, job, self.store, self.conditions, key=task, resources=needs, pure=False)

    def _land(self, future: Future) -> None:
        """Take in a cell whose task has ended. Raises what the task raised, as where the store cannot be written."""
        job, begin = self.flying.pop(str(future.key))
        error = future.exception()
        if isinstance(error, KilledWorker):
            bury(self.store, job, "crashed", "its workers died, again and again", "", self.conditions.threads)
        elif error is not None:
            raise cast(BaseException, error)
        records = self.store.records(job.key)
        self.outcome.records[job.key] = records
        self.outcome.computed.append(job.key)
        self.observer.finished(job.cell, job.key, records, perf_counter() - begin)
        if self.conditions.fail_fast and is_failure(records):
            self.waiting.clear()


@contextmanager
def _client(address: str, jobs: int) -> Iterator[Client]:
    """A client of the cluster at an address, or of one that lives on this machine as long as the context."""
    if address:
        try:
            client = Client(address if "://" in address else f"tcp://{address}", timeout=PATIENCE)
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise UserError(f"no dask cluster with a worker answers at {address}: {error}") from error
        with client:
            yield client
        return
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address="", memory_limit=0) as cluster,
        Client(cluster) as client,
    ):
        yield client
