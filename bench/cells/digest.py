"""The content address of a cell: its resolved configuration, and a digest of the code that it uses.

Code is what can be reached by import, read off the syntax trees, within our packages and the user's own files. A name
imported from a package leads to the module that defines it, so that a change of `learners/resnet.py` concerns the cells
of ResNet only. Comments, docstrings and layout do not count.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from hashlib import sha256
from math import isfinite
from typing import Any

from bench.catalogue.sources import Module, followed, imported, read_source

Reader = Callable[..., dict[str, str]]
BESIDE = frozenset(("bench.machine.environment", "bench.cells.digest"))  # that say which cell it is and where it ran


def code(roots: Iterable[str], without: Sequence[str] = ()) -> dict[str, str]:
    """A short hash of the code of each imported module named in `roots`, and of all that these import in turn.

    Nothing is followed into the modules or packages named in `without`.
    """
    found: dict[Module, str] = {}
    waiting = [module for root in roots if (module := imported(root)) is not None]
    while waiting:
        module = waiting.pop()
        left_out = module.name in BESIDE or any(f"{module.name}.".startswith(f"{name}.") for name in without)
        if module not in found and not left_out:
            found[module] = read_source(module).hash
            waiting += followed(module)
    return {module.name: found[module] for module in sorted(found)}


def checksum(plain: Any) -> str:
    """Hexadecimal sha256 of JSON-ready values; equal numbers count as the same, whatever their type."""
    return sha256(json.dumps(_normal(plain), sort_keys=True, default=_refuse).encode()).hexdigest()


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _normal(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        _refuse(value)  # no file could hold it
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _refuse(value: Any) -> Any:
    raise TypeError(
        f"no key can be made of {value!r} of type {type(value).__name__} in a configuration: "
        "use finite numbers, strings, tuples and dataclasses of them"
    )


def modules(component: Any) -> Iterator[str]:
    """The modules that define the classes of a configuration and of those nested in it."""
    if isinstance(component, (tuple, list)):
        for item in component:
            yield from modules(item)
    elif is_dataclass(component):
        yield type(component).__module__
        yield from modules([getattr(component, field.name) for field in fields(component)])
