"""The rows of all tables, measured in processes of their own: what goes wrong in one costs that row alone."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from pathlib import Path
from time import process_time

from bench.errors import one_line
from bench.machine.pool import pool_of_workers
from bench.published.table import MeasuredRow, PublishedTable, Row
from results.processes import without_script


def table_named(name: str) -> PublishedTable:
    """The table of a module of this package."""
    return import_module(f"bench.published.{name}").table


def measure_tables(
    names: Sequence[str], files: Path, jobs: int, notify: Callable[[str, MeasuredRow], None]
) -> Iterator[tuple[str, list[MeasuredRow]]]:
    """Each table with the outcomes of its rows, as soon as the last of them is there; so many rows at a time.

    `notify` is called with the table's name and each outcome in turn. A row whose process ended without a word is
    measured once more, alone, before it is given up. What is under way when the user stops the program is dropped.
    """
    rows = {(name, place): row for name in names for place, row in enumerate(table_named(name).rows(files))}
    pool = pool_of_workers(jobs)
    try:
        with without_script():
            order = sorted(rows, key=lambda place: -rows[place].minutes)
            waiting = {place: pool.submit(_measure, *place, files) for place in order}
        for name in names:
            outcomes = []
            for place in (one for one in rows if one[0] == name):
                outcomes.append(_outcome(waiting[place], *place, files))
                notify(name, outcomes[-1])
            yield name, outcomes
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _outcome(future: "Future[MeasuredRow]", name: str, row: int, files: Path) -> MeasuredRow:
    try:
        return future.result()
    except (BrokenProcessPool, CancelledError):
        with pool_of_workers(1) as alone, without_script():
            try:
                return alone.submit(_measure, name, row, files).result()
            except BrokenProcessPool:
                names = table_named(name).rows(files)[row].names
                return MeasuredRow(names, (), 0.0, "its process ended without a word: memory may be short", failed=True)


def _measure(name: str, row: int, files: Path) -> MeasuredRow:
    return measure_row(table_named(name).rows(files)[row])


def measure_row(row: Row) -> MeasuredRow:
    """The outcome of a row. What it needs and does not find leaves it out; any other error is a failure of this row."""
    from learners import Unsuitable

    begin = process_time()
    try:
        figures = tuple(row.measure())
        reason = ""
        failed = False
    except (FileNotFoundError, ModuleNotFoundError, Unsuitable) as error:
        figures = ()
        reason = one_line(str(error))
        failed = False
    except Exception as error:
        figures = ()
        reason = one_line(f"{type(error).__name__}: {error}")
        failed = True
    return MeasuredRow(row.names, figures, process_time() - begin, reason, failed)
