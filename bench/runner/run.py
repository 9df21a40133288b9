"""Running cells side by side, each in a process of its own, so that none can take another's result with it."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.cells.cell import Cell, keys, names
from bench.cells.data import location
from bench.errors import UserError
from bench.runner.job import Conditions, Job
from bench.runner.outcomes import Interrupted, Observer, Outcome, Silent
from bench.runner.supervisor import Session
from results import DamagedCellError, MissingCellError, Record, Store
from results.store.lease import leased
from results.store.record import is_failure


def run(
    cells: Sequence[Cell],
    store: Store,
    jobs: int,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    memory: int | None = None,
    rerun: str = "",
    cache: str = "default",
    observer: Observer | None = None,
) -> Outcome:
    """Compute the cells that the store lacks, at most `jobs` at a time, and keep each in the store as it ends.

    A cell that crashes, uses more than `memory` bytes or is not done after `timeout` seconds is kept too, as failed.
    Failed cells count as finished. `rerun` computes finished cells anew: those that "failed", "all", or those of the
    system or learner of this name or label. With `cache="ignore"` nothing counts as finished, with `cache="only"`
    nothing is computed. `retries` is for crashes and lack of memory. After a failure, `fail_fast` starts nothing more,
    but lets the cells that run come to their end.

    Raises Interrupted on ^C, once all processes are gone; UserError where a cell cannot be sent to another process;
    OSError where the store cannot be written.
    """
    conditions = Conditions(jobs, timeout, retries, fail_fast, memory)
    observer, outcome = observer or Silent(), Outcome()
    session = Session(store, conditions, observer, [], outcome)
    leased(store)  # asking after them clears away the leases of the dead
    try:
        due = sort_out(cells, store, "all" if cache == "ignore" else rerun, observer, outcome)
        if cache != "only":
            session.waiting = with_data(due)
            session.work()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(outcome) from interrupt
    finally:
        session.stop()
    return outcome


def sort_out(cells: Sequence[Cell], store: Store, rerun: str, observer: Observer, outcome: Outcome) -> list[Job]:
    """Tell what is cached, and what is damaged; jobs for all that is to be computed, each cell once."""
    jobs = []
    for name, cell in dict(zip(keys(cells), cells, strict=True)).items():
        records = _kept(store, name, cell, observer)
        if records is not None and not is_due(cell, records, rerun):
            outcome.records[name] = records
            observer.cached(cell, name, records)
            continue
        data = location(cell.system, cell.sampling, cell.data_seed, store.root / "data")
        jobs.append(Job(cell, data, name, records is not None, _needs_main(cell)))
    return jobs


def with_data(jobs: Sequence[Job]) -> list[Job]:
    """The jobs, with one that makes them before the first that needs data which are missing."""
    asked: set[Path] = set()
    queue = []
    for job in jobs:
        if job.data not in asked and not job.data.exists():
            queue.append(replace(job, key="", replace=False))
        asked.add(job.data)
        queue.append(job)
    return queue


def is_due(cell: Cell, records: Sequence[Record], rerun: str) -> bool:
    """Whether a finished cell is to be computed again."""
    if rerun in ("", "all", "failed"):
        return rerun == "all" or (rerun == "failed" and is_failure(records))
    return rerun in names(cell)


def _kept(store: Store, key: str, cell: Cell, observer: Observer) -> list[Record] | None:
    """The records of a finished cell; None where there is none, or none that is whole."""
    try:
        store.verify(key)
        return store.records(key)
    except MissingCellError:
        return None
    except DamagedCellError as error:
        observer.damaged(cell, key, str(error))
        return None


def _needs_main(cell: Cell) -> bool:
    """Whether a cell refers to classes of `__main__`. Raises UserError where no other process can be sent the cell."""
    try:
        return b"__main__" in pickle.dumps(cell)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UserError(
            f"{cell.learner_label} on {cell.system_label} cannot be sent to another process ({error}): "
            "define its classes and functions at the top level of a module"
        ) from error
