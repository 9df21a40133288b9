"""The content address of a cell: its resolved configuration, and a digest of the code that it uses.

Code is what can be reached by import, read off the syntax trees, within our packages and the user's own files. A name
imported from a package leads to the module that defines it, so that a change of `learners/resnet.py` concerns the cells
of ResNet only. Comments, docstrings and layout do not count.
"""

import ast
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from systems.configuration import describe

if TYPE_CHECKING:
    from bench.cell import Cell

Reader = Callable[..., dict[str, str]]
ROOT = Path(__file__).resolve().parents[1]
PACKAGES = frozenset(("bench", "systems", "learners", "metrics", "results"))
BESIDE = frozenset(("bench.environment", "bench.key"))  # say which cell it is and where it ran, not what comes of it


def key(cell: "Cell") -> str:
    """Hexadecimal sha256 of all that decides the outcome of a cell; equal for equal cells of equal code.

    Raises TypeError where a configuration holds values that are not plain.
    """
    return checksum(identity(cell) | {"code": digest(cell)})


def identity(cell: "Cell") -> dict[str, Any]:
    """The resolved configuration of a cell, as JSON-ready values."""
    return {
        "system": describe(cell.system),
        "learner": describe(cell.learner),
        "sampling": describe(cell.sampling),
        "metrics": [[metric.name, metric.unit, metric.better, _name(metric.measure)] for metric in cell.metrics],
        "budget": describe(cell.budget),
        "seeds": list(cell.seeds),
        "data_seed": cell.data_seed,
        "device": cell.device.partition(":")[0],
    }


def keys(cells: Iterable["Cell"]) -> list[str]:
    """The key of each cell, with the code behind cells that are made of the same modules read once."""
    read = cache(code)
    return [checksum(identity(cell) | {"code": digest(cell, read)}) for cell in cells]


def digest(cell: "Cell", read: "Reader | None" = None) -> dict[str, str]:
    """A short hash of the code of every module that a cell uses, by module; `read` may be a `code` that remembers."""
    return (read or code)(roots(cell))


def roots(cell: "Cell") -> frozenset[str]:
    """The modules that a cell is made of, from which all others are reached."""
    return fitting_roots(cell) | {_module(metric.measure) for metric in cell.metrics}


def fitting_roots(cell: "Cell") -> frozenset[str]:
    """The modules that a cell is made of but for its metrics."""
    parts = (cell.system, cell.learner, cell.sampling, cell.budget)
    return frozenset({"bench.cell", type(cell).__module__, *modules(parts)})


def code(roots: Iterable[str], without: Sequence[str] = ()) -> dict[str, str]:
    """A short hash of the code of each imported module named in `roots`, and of all that these import in turn.

    Nothing is followed into the modules or packages named in `without`.
    """
    found: dict[Module, str] = {}
    waiting = [module for root in roots if (module := _imported(root)) is not None]
    while waiting:
        module = waiting.pop()
        left_out = module.name in BESIDE or any(f"{module.name}.".startswith(f"{name}.") for name in without)
        if module not in found and not left_out:
            found[module] = _read(module).hash
            waiting += _frozen_imports.get(module) or _followed(module)
    return {module.name: found[module] for module in sorted(found)}


def freeze() -> None:
    """From now on take our sources for what they are now, as this process does, whatever becomes of the files."""
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        if (module := _imported(name)) is not None:
            _frozen[module] = _read(module)
    _frozen_imports.update((module, _followed(module)) for module in _frozen)


def thaw() -> None:
    """From now on take our sources for what their files hold."""
    _frozen.clear()
    _frozen_imports.clear()


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


def _name(measure: Callable[..., Any]) -> Any:
    """A measure by name, with the arguments that a partial application or a dataclass has fixed."""
    if isinstance(measure, partial):
        return [_name(measure.func), describe(measure.args), {n: describe(v) for n, v in measure.keywords.items()}]
    return describe(measure) if is_dataclass(measure) else f"{measure.__module__}.{measure.__qualname__}"


def _module(measure: Callable[..., Any]) -> str:
    return _module(measure.func) if isinstance(measure, partial) else measure.__module__


def modules(component: Any) -> Iterator[str]:
    """The modules that define the classes of a configuration and of those nested in it."""
    if isinstance(component, (tuple, list)):
        for item in component:
            yield from modules(item)
    elif is_dataclass(component):
        yield type(component).__module__
        yield from modules([getattr(component, field.name) for field in fields(component)])


class Module(NamedTuple):
    """A module by name, and the file that holds it."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def home(self) -> Path:
        """The folder from which its absolute imports are found."""
        return self.path.parents[self.name.count(".") + self.is_package]


class Import(NamedTuple):
    """`import module` (no name), or `from module import name`."""

    module: str
    name: str | None = None


@dataclass(frozen=True)
class Source:
    """What a file holds: the hash of its code, what it imports, and the import behind each name of the module."""

    hash: str
    imports: tuple[Import, ...]
    exports: Mapping[str, Import]


_frozen: dict[Module, Source] = {}
_frozen_imports: dict[Module, list[Module]] = {}


def _imported(name: str) -> Module | None:
    """A module that this process has imported from a file."""
    path = getattr(sys.modules.get(name), "__file__", None)
    return None if path is None else Module(name, Path(path).resolve())


def _followed(module: Module) -> list[Module]:
    """The modules that the imports of a module lead to."""
    return [found for statement in _read(module).imports if (found := _resolve(statement, module)) is not None]


def _resolve(statement: Import, importer: Module) -> Module | None:
    """The module of ours, or of the user's, that an import statement leads to."""
    if statement.name is not None:
        submodule = _find(f"{statement.module}.{statement.name}", importer)
        if submodule is not None:
            return submodule
    module = _find(statement.module, importer)
    if module is None or statement.name is None or not module.is_package:
        return module
    onward = _read(module).exports.get(statement.name)
    return module if onward is None else _resolve(onward, module)


def _find(name: str, importer: Module) -> Module | None:
    top = name.partition(".")[0]
    if top in PACKAGES:
        return _locate(name, ROOT)
    installed = importer.home.name.endswith("-packages")
    is_foreign = importer.name.partition(".")[0] in PACKAGES or (installed and not importer.name.startswith(f"{top}."))
    return None if is_foreign else _locate(name, importer.home)


@cache
def _locate(name: str, home: Path) -> Module | None:
    stem = home.joinpath(*name.split("."))
    candidates = (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")
    return next((Module(name, path) for path in candidates if path.is_file()), None)


def _read(module: Module) -> Source:
    return _frozen.get(module) or _parse(module, module.path.stat().st_mtime_ns)


@cache
def _parse(module: Module, modified: int) -> Source:
    tree = ast.parse(module.path.read_bytes(), str(module.path))
    imports = tuple(pair for node in _running(tree) for pair in _imports(node, module))
    for node in ast.walk(tree):
        _strip_docstring(node)
    return Source(
        sha256(ast.dump(tree).encode()).hexdigest()[:12], tuple(statement for _, statement in imports), dict(imports)
    )


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a syntax tree without what only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)):
            yield from _running(child)


def _imports(node: ast.AST, module: Module) -> Iterator[tuple[str, Import]]:
    """The imports of a statement, under the names that they bind."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name, Import(alias.name)
    elif isinstance(node, ast.ImportFrom):
        origin = node.module or ""
        if node.level:
            parents = module.name.split(".")
            parents = parents[: len(parents) - node.level + module.is_package]
            origin = ".".join(parents + origin.split(".") if origin else parents)
        for alias in node.names:
            yield alias.asname or alias.name, Import(origin, alias.name)


def _strip_docstring(node: ast.AST) -> None:
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            del node.body[0]
