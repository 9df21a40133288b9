"""What all cells of a system, as opposed to an image set, have in common."""

from pathlib import Path
from typing import Any

from bench.cells.cell import Cell
from bench.cells.data import observe
from learners import Learner
from systems import Sampling, System


class SystemCell(Cell[System, Learner, Sampling]):
    """A system met by a learner; what is done with the fitted predictors is left to the kinds of such cells."""

    def prepare(self, data: Path) -> None:
        observe(self.system, self.sampling, self.data_seed, data)

    def units(self) -> dict[str, Any]:
        try:
            timescale, dim = self.system.timescale, self.system.dim
        except Exception:  # the cell of such a system fails, and has to be described all the same
            timescale, dim = None, None
        return {
            "timescale": timescale,
            "timescale_name": self.system.timescale_name,
            "step": self.sampling.step * timescale if timescale else None,
            "dim": dim,
            "ring": self.system.ring,
        }
