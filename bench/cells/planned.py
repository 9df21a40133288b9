"""A cell of a run with its key and the place of its data, worked out once, when the run is planned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.cells.cell import Cell, digest, identity
from bench.cells.data import location
from bench.cells.digest import checksum, code


@dataclass(frozen=True)
class Planned:
    """A cell, its key, the file of its data, and the code that the key stands for."""

    cell: Cell
    key: str
    data: Path  # exists once the data have been made
    code: Mapping[str, str]  # a short hash of each module that the cell uses


def planned(cells: Iterable[Cell], root: Path) -> list[Planned]:
    """Work out the key of each cell, and the file of its data in the folder `root` of the store.

    The code behind cells that are made of the same modules is read once. Raises TypeError where a configuration holds
    values of which no key can be made.
    """
    read = cache(code)
    found = []
    for cell in cells:
        source = digest(cell, read)
        key = checksum(identity(cell) | {"code": source})
        found.append(
            Planned(cell, key, location(cell.system, cell.sampling, cell.data_seed, root / "data", read), source)
        )
    return found
