"""Results: records of trials, where they are kept, and the tables, figures and reports made of them."""

from results.record import COLUMNS, Measurement, Record, Status

__all__ = ["COLUMNS", "Measurement", "Record", "Status"]
