"""Packages that only some users need."""

from importlib import import_module
from types import ModuleType


def optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module of an extra. Raises ModuleNotFoundError that says how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{purpose} needs the package {error.name}: pip install 'dynamics-bench[{extra}]'", name=error.name
        ) from error
