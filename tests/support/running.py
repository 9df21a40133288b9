"""Running cells that were not planned by a suite."""

from collections.abc import Callable, Sequence
from typing import Any

from bench.cells.cell import Cell
from bench.cells.key import planned
from bench.request import Conditions
from bench.runner.events import Event, ignore
from bench.runner.outcomes import Outcome
from bench.runner.run import run
from results import Store


def run_cells(
    cells: Sequence[Cell], store: Store, notify: Callable[[Event], None] = ignore, **conditions: Any
) -> Outcome:
    """Run the cells that a store lacks, as `bench.runner.run` does, under conditions by their names."""
    return run(planned(cells, store.root), store, Conditions(**conditions), notify)
