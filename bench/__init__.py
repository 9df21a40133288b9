"""Bench: suites, the runner and the command line. Importing it makes our packages win over files of the same names."""

from typing import TYPE_CHECKING, Any

from bench.importing import install

if TYPE_CHECKING:
    from bench.exports.data import to_frame, to_xarray
    from bench.interface import Run, evaluate, run

__all__ = ["Run", "evaluate", "run", "to_frame", "to_xarray"]

install()


def __getattr__(name: str) -> Any:
    """What Python programs use, imported once it is asked for: torch takes seconds."""
    if name in __all__:
        from bench import interface
        from bench.exports import data

        return getattr(data if name.startswith("to_") else interface, name)
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
