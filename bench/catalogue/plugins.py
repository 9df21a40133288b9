"""What others add to the package: classes in a user's own files, and in installed packages by entry points.

The groups of entry points are `dynamics_bench.systems`, `.learners`, `.metrics` and `.suites`. A name is that of the
class, of the metric or of the suite; an entry point of a suite leads to its module.
"""

import ast
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module, invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import UserError
from bench.importing import SUFFIX, importable_name

included: list[ModuleType] = []  # files that were asked for last, as modules
_modified: dict[str, int] = {}  # when the files behind modules had changed last, as they were imported
folders: list[str] = []  # of the files that were imported, which other machines may have to look in


def installed(package: str) -> Mapping[str, EntryPoint]:
    """What installed packages add to `systems`, `learners`, `metrics` or `suites`, by name; nothing is imported."""
    return {point.name: point for point in entry_points(group=f"dynamics_bench.{package}")}


def defined(files: Sequence[Path]) -> set[str]:
    """The names of the classes that files define, without running them. Raises UserError where one cannot be read."""
    found = set()
    for path in files:
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except SyntaxError as error:
            raise UserError(f"{path}, line {error.lineno}: {error.msg}") from error
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
        found |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    return found


def include(files: Sequence[Path]) -> None:
    """Run files, so that `find` knows their classes, and `included` has all of them. Raises UserError."""
    included[:] = [import_file(path) for path in files]


def find(package: str, name: str) -> Any | None:
    """The class of this name in the included files, or what installed packages have of it. Raises UserError."""
    for module in included:
        if isinstance(found := getattr(module, name, None), type):
            return found
    point = installed(package).get(name)
    if point is None:
        return None
    try:
        return point.load()
    except Exception as error:
        raise UserError(f"the plugin {point.value} of {name} cannot be imported: {explain(error)}") from error


def import_file(path: Path) -> ModuleType:
    """Import a user's file under a name by which other processes find the classes that it defines.

    That is its own, or where Python has no such names or another use for it, one made of it. A file that has changed
    since is imported again. Raises UserError where this cannot be done, or running the file fails.
    """
    path = path.resolve()
    invalidate_caches()
    folder = str(path.parent)
    folders.append(folder)
    if folder not in sys.path:
        sys.path.append(folder)
    name = next((name for name in (path.stem, importable_name(path)) if _file_of(name) == str(path)), None)
    if name is None:
        other = _file_of(importable_name(path))
        raise UserError(f"{path} cannot be imported beside {other}, a file of the same name: rename one of them")
    modified = path.stat().st_mtime_ns
    if _modified.setdefault(name, modified) != modified:
        sys.modules.pop(name, None)
    _modified[name] = modified
    try:
        return import_module(name)
    except Exception as error:
        raise located(error, path) from error


def _file_of(name: str) -> str | None:
    """The file that would be imported under a name; None where there is none, as of what is built into Python."""
    try:
        spec = find_spec(name) if name.isidentifier() or name.endswith(SUFFIX) else None
    except ValueError:  # a module without a file, such as __main__
        return None
    return spec and spec.origin


def located(error: Exception, path: Path) -> UserError:
    """The mistake that an exception tells of, with the line of the file where it came up, if it did so there."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return UserError(f"{path}{f', line {lines[-1]}' if lines else ''}: {explain(error)}")


def explain(error: Exception) -> str:
    """The message of a ValueError, which speaks for itself; of others the class, too."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
