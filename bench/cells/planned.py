"""A cell of a run with its key and the place of its data, worked out once, when the run is planned."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.cells.cell import Cell
from bench.cells.data import location
from bench.cells.digest import code
from bench.cells.key import digest, key


@dataclass(frozen=True)
class Planned:
    """A cell, its key, the file of its data, and the code that the key stands for."""

    cell: Cell
    key: str
    data: Path  # exists once the data have been made
    code: dict[str, str]  # a short hash of each module that the cell uses, as `bench.cells.key.digest` gives it


def planned(cells: Iterable[Cell], root: Path) -> list[Planned]:
    """Work out the key of each cell, and the file of its data in the folder `data` of a store at `root`.

    The code behind cells that are made of the same modules is read once. Raises TypeError where a configuration is not
    made of plain values, of which keys can be made.
    """
    read = cache(code)
    found = []
    for cell in cells:
        source = digest(cell, read)
        data = location(cell.system, cell.sampling, cell.data_seed, root / "data", read)
        found.append(Planned(cell, key(cell, source), data, source))
    return found
