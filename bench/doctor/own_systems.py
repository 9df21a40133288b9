"""Systems in a user's own files: which there are, and whether they keep what every system has to promise."""

import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from bench.catalogue.plugins import located
from bench.errors import UserError
from bench.importing import PACKAGES
from systems import Flow, Map, Simulated, System


def names_of_systems(module: ModuleType) -> list[str]:
    """The systems that a file defines and that need no arguments, in its order. Raises UserError where there are none.

    Abstract classes are left out; so is what the file only imports.
    """
    found: list[str] = []
    needing = ""
    for name, kind in vars(module).items():
        if isinstance(kind, type) and issubclass(kind, System) and kind.__module__ == module.__name__:
            if inspect.isabstract(kind):
                continue
            if any(one.default is one.empty for one in inspect.signature(kind).parameters.values()):
                needing = name
                continue
            found.append(name)
    if not found and needing:
        raise UserError(f"{module.__file__}: {needing} needs parameters: --include the file, and name {needing}[...]")
    if not found:
        raise UserError(f"{module.__file__} defines no system: write a dataclass that inherits from Flow or Map")
    return found


def check_promises(system: System) -> None:
    """Raise ValueError where a timescale or shapes are not what is promised."""
    name = type(system).__name__
    if not 0 < system.timescale < inf:
        raise ValueError(f"{name}.timescale must be a positive time, but is {system.timescale}")
    if not isinstance(system, Simulated):
        return
    states = system.initial_states(3, np.random.default_rng(0))
    _check_shape(f"{name}.initial_states(3, rng)", states, (3, system.dim))
    batch = torch.as_tensor(states, dtype=torch.float64)
    if isinstance(system, Flow):
        _check_shape(f"{name}.velocity of 3 states", system.velocity(0.0, batch), (3, system.dim))
    if isinstance(system, Map):
        _check_shape(f"{name}.step of 3 states", system.step(batch), (3, system.dim))


def _check_shape(what: str, found: Any, expected: Sequence[int]) -> None:
    shape = tuple(getattr(found, "shape", ()))
    if shape != tuple(expected):
        raise ValueError(f"{what} must have the shape {tuple(expected)}, as dim is {expected[-1]}, but has {shape}")


@contextmanager
def mistakes_located(system: System) -> Iterator[None]:
    """Tell of an error in the code of a system that is not ours by its file and line. Raises UserError."""
    try:
        yield
    except Exception as error:
        module = type(system).__module__
        if module.partition(".")[0] in PACKAGES or isinstance(error, UserError):
            raise
        raise located(error, Path(str(sys.modules[module].__file__))) from error
