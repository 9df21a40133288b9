"""Results: records of trials, where they are kept, and the tables, figures and reports made of them."""

from results.store.errors import DamagedCellError, MissingCellError, StoreVersionError, UnreadableError
from results.store.record import COLUMNS, Measurement, Record, Status
from results.store.store import Store

__all__ = [
    "COLUMNS", "DamagedCellError", "Measurement", "MissingCellError", "Record", "Status", "Store", "StoreVersionError",
    "UnreadableError",
]  # fmt: skip
