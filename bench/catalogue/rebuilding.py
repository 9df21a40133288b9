"""Configured components from what was kept of them: the opposite of `systems.configuration.describe`."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import ModuleType
from typing import Any

from bench.errors import UserError
from systems.configuration import describe


def rebuild(described: Any, modules: Sequence[ModuleType]) -> Any:
    """The component of a description that was read from JSON; classes that are not ours are looked for in `modules`.

    Raises UserError where a class is not found, or what is built is another thing, as of a recording that has changed.
    """
    try:
        built = _built(described, modules)
    except (TypeError, ValueError, OSError) as error:
        raise UserError(str(error)) from error
    found = json.loads(json.dumps(describe(built)))
    if found != described:
        names = [name for name in found if found[name] != described.get(name)]
        raise UserError(f"{described['class']} is not what it was: its {', '.join(names)} is {found[names[0]]!r} now")
    return built


def _built(described: Any, modules: Sequence[ModuleType]) -> Any:
    if isinstance(described, list):
        return tuple(_built(item, modules) for item in described)
    if not isinstance(described, Mapping) or "class" not in described:
        return described
    kind = _kind(described["class"], modules)
    return kind(**{one.name: _built(described[one.name], modules) for one in fields(kind) if one.init and one.compare})


def _kind(name: str, modules: Sequence[ModuleType]) -> Any:
    """The class of this name in the given modules, or in ours."""
    ours = [module for path, module in list(sys.modules.items()) if path.partition(".")[0] in ("learners", "systems")]
    for module in (*modules, *ours):
        if isinstance(kind := vars(module).get(name), type):
            return kind
    raise UserError(f"the class {name} is not found: give the file that defines it with --include")
