"""Running cells on the workers of a dask cluster, which all see the same store.

A task does no more than to run one cell on its worker, in a process of its own, as a run on that machine would; results
go to the store, and only the key comes back. Where a worker is lost, the scheduler gives its cells to others.
"""

import json
import logging
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any, cast
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed, get_worker

from bench.catalogue import plugins
from bench.cells.cell import Cell
from bench.errors import UserError
from bench.machine.environment import cores
from bench.runner.job import Conditions, Job
from bench.runner.outcomes import Interrupted, Observer, Outcome, Silent
from bench.runner.run import sort_out, with_data
from bench.runner.supervisor import Session, bury
from results import Store
from results.store.record import is_failure

AHEAD = 2  # tasks in flight for each thread of the cluster: one at work, one to follow
PATIENCE = 60  # seconds for the first worker to come
POLL = 0.1  # seconds between two looks for a scheduler file

logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # of a lost cluster it tells in tracebacks


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

    An address is HOST:PORT, or the path of a scheduler file (.json). All else is as in `bench.runner.run.run`. Cells for a
    GPU go to workers that were started with the resource GPU. Cells that are at work on other machines when the run is
    interrupted come to their end there, and are kept. Raises UserError where the cluster is no good, or is lost.
    """
    watcher, outcome = observer or Silent(), Outcome()
    due = sort_out(cells, store, "all" if cache == "ignore" else rerun, watcher, outcome)
    if cache == "only" or not due:
        return outcome
    shared = replace(store, root=store.root.absolute())  # the same in every process
    try:
        with _client(address, jobs, any(_needs_gpu(job) for job in due)) as client:
            terms = Conditions(1, **conditions, command=tuple(sys.argv))
            _Dispatch(client, shared, terms, watcher, due, outcome).work()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(outcome) from interrupt
    except CancelledError as error:
        raise UserError("the dask cluster is lost; what is finished is kept, and the same command resumes") from error
    return outcome


def compute(
    pickled: bytes, folders: Sequence[str], store: Store, conditions: Conditions, places: Mapping[str, int]
) -> str:
    """What a task does on a worker: run one cell, and return its key.

    `folders` hold files of the user's own, which the cell may be made of; `places` are the cells at a time by host.
    """
    sys.path += [folder for folder in folders if folder not in sys.path]
    job: Job = pickle.loads(pickled)
    worker = get_worker()
    terms = replace(conditions, threads=max(1, cores() // places.get(_host(worker.address), worker.state.nthreads)))
    session = Session(store, terms, Silent(), with_data([job]), Outcome())
    try:
        session.work()
    finally:
        session.stop()
    if not store.complete(job.key):
        reason = session.outcome.records[job.key][0].reason
        raise UserError(f"{job.cell.learner_label} on {job.cell.system_label}, on {worker.address}: {reason}")
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

    places: Mapping[str, int] = field(default_factory=dict)  # cells at a time, by host

    def work(self) -> None:
        done = as_completed([self._submit() for _ in self.waiting[: self._window()]])
        for future in done:
            self._land(future)
            for _ in self.waiting[: self._window() - len(self.flying)]:
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
        job = self.waiting.pop(0)
        task = f"{job.key}-{uuid4().hex[:8]}"
        self.observer.started(job.cell, job.key)
        self.flying[task] = job, perf_counter()
        order = (pickle.dumps(job), plugins.folders, self.store, self.conditions, self.places)
        needs = {"GPU": 1} if _needs_gpu(job) else None
        return self.client.submit(compute, *order, key=task, resources=needs, pure=False)

    def _land(self, future: Future) -> None:
        """Take in a cell whose task has ended. Raises OSError where the store cannot be written, or else UserError."""
        job, begin = self.flying.pop(str(future.key))
        error = cast(Exception | None, future.exception())
        if error is None and future.status != "finished":
            raise CancelledError(f"{future.key} is {future.status}")
        if isinstance(error, KilledWorker):
            bury(self.store, job, "crashed", "its workers died, again and again", "", self.conditions)
        elif isinstance(error, (OSError, UserError, CancelledError)):
            raise error
        elif error is not None:
            raise UserError(f"the workers of the cluster cannot run {job.cell.learner_label}: {plugins.told(error)}")
        records = self.store.records(job.key)
        self.outcome.records[job.key] = records
        self.outcome.computed.append(job.key)
        self.observer.finished(job.cell, job.key, records, perf_counter() - begin)
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


def _needs_gpu(job: Job) -> bool:
    return job.cell.device.startswith("cuda")


def _host(address: str) -> str:
    """The machine of a worker; those within one process share it too."""
    return address.rpartition(":")[0]
