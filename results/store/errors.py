"""What cannot be read. Commands end with the message, which names the file and the remedy.

ValueError
└── UnreadableError
    ├── MissingCellError
    ├── DamagedCellError
    ├── StoreVersionError
    ├── BrokenRunError
    ├── BrokenBaselineError
    ├── BrokenTimingError
    └── IncomparableError
"""


class UnreadableError(ValueError):
    """Something that was written by this program, or should have been, and cannot be read."""


class MissingCellError(UnreadableError):
    """A cell that is not finished yet."""


class DamagedCellError(UnreadableError):
    """A cell whose files are not the ones that were written."""


class StoreVersionError(UnreadableError):
    """A store whose layout this program does not know."""


class BrokenRunError(UnreadableError):
    """A folder that holds no run, or a manifest that cannot be read."""


class BrokenBaselineError(UnreadableError):
    """A file that holds no baseline, one of another format, or a run that is no re-run of another."""


class BrokenTimingError(UnreadableError):
    """A file that holds no timings, or timings that cannot be set beside others."""


class IncomparableError(UnreadableError):
    """Runs that saw different data, or times of different machines, which cannot be set beside each other."""
