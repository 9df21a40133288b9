"""Running cells on the workers of a dask cluster, which all see the same store.

A task does no more than to run one cell on its worker, in a process of its own, as a run on that machine would; results
go to the store, and only the key comes back. Where a worker is lost, the scheduler gives its cells to others.
"""

import json
import logging
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import cast
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed, get_worker

from bench.catalogue import plugins
from bench.cells.key import Planned
from bench.errors import UserError
from bench.machine.environment import cores
from bench.request import Cache, Conditions
from bench.runner.events import Event, Finished, Started, ignore
from bench.runner.outcomes import Interrupted, Outcome
from bench.runner.run import partition
from bench.runner.supervisor import is_settled, keep_failure, make_data, supervise
from bench.runner.task import Stop, Task, threads_of
from results import Store
from results.store.lease import Lease
from results.store.record import is_failure

AHEAD = 2  # tasks in flight for each thread of the cluster: one at work, one to follow
PATIENCE = 60  # seconds for the first worker to come
POLL = 0.1  # seconds between two looks for a scheduler file, or at a cell that another run is working on

logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # of a lost cluster it tells in tracebacks


def run(
    address: str,
    cells: Sequence[Planned],
    store: Store,
    conditions: Conditions,
    notify: Callable[[Event], None] = ignore,
) -> Outcome:
    """Run the cells that the store lacks on a cluster; without an address on one of this machine, with a worker a job.

    Cells for a GPU go to workers that were started with the resource GPU. Cells that are at work on other machines when
    the run is interrupted come to their end there, and are kept. All else is as in `bench.runner.run`.

    `address` is HOST:PORT, or the path of a scheduler file (.json). Raises UserError where the cluster is no good, or
    is lost.
    """
    outcome = Outcome()
    due = partition(cells, store, conditions, notify, outcome)
    if conditions.cache == Cache.ONLY or not due:
        return outcome
    for task in due:
        task.command = tuple(sys.argv)
    shared = replace(store, root=store.root.absolute())  # the same in every process
    try:
        with _client(address, conditions.jobs, any(_needs_gpu(task) for task in due)) as client:
            _Dispatch(client, shared, conditions, notify, due, outcome).run()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(outcome) from interrupt
    except CancelledError as error:
        raise UserError("the dask cluster is lost; what is finished is kept, and the same command resumes") from error
    return outcome


def run_on_worker(
    pickled: bytes, folders: Sequence[str], store: Store, conditions: Conditions, places: Mapping[str, int]
) -> float:
    """Run one cell, a pickled task, on a worker of the cluster, and return the seconds that it took there.

    `folders` hold files of the user's own, which the cell may be made of; `places` are cells at a time, by host.
    """
    begin = perf_counter()
    sys.path += [folder for folder in folders if folder not in sys.path]
    task: Task = pickle.loads(pickled)
    planned = task.planned
    worker = get_worker()
    threads = threads_of(task, conditions, places.get(_host(worker.address), worker.state.nthreads))
    if not planned.data.exists():
        make_data(task, store, conditions, threads, Stop())
    lease = Lease(store, planned.key)
    while not (outcome := supervise(task, store, conditions, threads, Stop())).records:
        while not lease.is_free():
            sleep(POLL)
        if is_settled(task, store):
            return perf_counter() - begin
    if not outcome.computed:
        reason = outcome.records[planned.key][0].reason
        raise UserError(f"{planned.cell.learner_label} on {planned.cell.system_label}, on {worker.address}: {reason}")
    return perf_counter() - begin


@dataclass(eq=False)
class _Dispatch:
    """The cells of one run on a cluster, of which a bounded number is in flight."""

    client: Client
    store: Store
    conditions: Conditions
    notify: Callable[[Event], None]
    waiting: list[Task]
    outcome: Outcome
    submitted: dict[str, Task] = field(default_factory=dict)  # by the key that dask has for it
    places: Mapping[str, int] = field(default_factory=dict)  # cells at a time, by host

    def run(self) -> None:
        done = as_completed([self._submit() for _ in self.waiting[: self._window()]])
        for future in done:
            self._finish(future)
            for _ in self.waiting[: self._window() - len(self.submitted)]:
                done.add(self._submit())

    def _window(self) -> int:
        places: Counter[str] = Counter()
        try:
            threads = cast(dict[str, int], self.client.nthreads())
        except OSError as error:  # not one of the store
            raise CancelledError(str(error)) from error
        for address, count in threads.items():
            places[_host(address)] += count
        self.places = places
        return AHEAD * max(1, places.total())

    def _submit(self) -> Future:
        task = self.waiting.pop(0)
        name = f"{task.planned.key}-{uuid4().hex[:8]}"
        self.notify(Started(task.planned))
        task.began = perf_counter()
        self.submitted[name] = task
        arguments = (pickle.dumps(task), plugins.folders, self.store, self.conditions, self.places)
        needs = {"GPU": 1} if _needs_gpu(task) else None
        return self.client.submit(run_on_worker, *arguments, key=name, resources=needs, pure=False)

    def _finish(self, future: Future) -> None:
        """Record a cell whose task has ended. Raises OSError where the store cannot be written, or else UserError."""
        task = self.submitted.pop(str(future.key))
        planned = task.planned
        error = cast(Exception | None, future.exception())
        if error is None and future.status != "finished":
            raise CancelledError(f"{future.key} is {future.status}")
        if isinstance(error, KilledWorker):
            keep_failure(task, self.store, "crashed", "its workers died, again and again", "", cores())
        elif isinstance(error, (OSError, UserError, CancelledError)):
            raise error
        elif error is not None:
            reason = plugins.explain(error)
            raise UserError(f"the workers of the cluster cannot run {planned.cell.learner_label}: {reason}")
        records = self.store.records(planned.key)
        self.outcome.records[planned.key] = records
        self.outcome.computed.append(planned.key)
        seconds = perf_counter() - task.began if error else cast(float, future.result())  # without those in the queue
        self.notify(Finished(planned, records, seconds))
        if self.conditions.fail_fast and is_failure(records):
            self.waiting.clear()


@contextmanager
def _client(address: str, jobs: int, with_gpu: bool) -> Iterator[Client]:
    """A client of the cluster at an address, or of one that lives on this machine as long as the context."""
    if address:
        try:
            client = Client(_scheduler(address), timeout=PATIENCE)
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise UserError(f"no dask cluster with a worker answers at {address}: {error}") from error
        with client:
            workers = client.scheduler_info()["workers"].values()
            if with_gpu and not any(worker["resources"].get("GPU") for worker in workers):
                raise UserError(f"no worker at {address} offers a GPU: start some with --resources GPU=1")
            yield client
        return
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            dashboard_address=":0",
            memory_limit=0,
            resources={"GPU": 1} if with_gpu else None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _scheduler(address: str) -> str:
    """Where a scheduler listens; a scheduler file that says so is waited for. Raises OSError or ValueError."""
    if not address.endswith(".json"):
        return address if "://" in address else f"tcp://{address}"
    end = monotonic() + PATIENCE
    while True:
        try:
            return str(json.loads(Path(address).read_bytes())["address"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            if monotonic() > end:
                raise ValueError(f"the scheduler file cannot be read ({error})") from error
        sleep(POLL)


def _needs_gpu(task: Task) -> bool:
    return task.planned.cell.device.startswith("cuda")


def _host(address: str) -> str:
    """The machine of a worker; those within one process share it too."""
    return address.rpartition(":")[0]
