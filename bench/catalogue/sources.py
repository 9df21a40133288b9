"""Sources of modules: the hash of their code, and what they import."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from bench.importing import PACKAGES, ROOT

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def freeze() -> None:
    """Keep the sources of our packages as they are now: later changes of the files do not count in this process."""
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        if (module := imported(name)) is not None:
            _frozen[module] = read_source(module)
    _frozen_imports.update((module, followed(module)) for module in _frozen)


def thaw() -> None:
    """Read the sources of our packages from their files again."""
    _frozen.clear()
    _frozen_imports.clear()


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


def imported(name: str) -> Module | None:
    """A module that this process has imported from a file."""
    path = getattr(sys.modules.get(name), "__file__", None)
    return None if path is None else Module(name, Path(path).resolve())


def followed(module: Module) -> list[Module]:
    """The modules that the imports of a module lead to."""
    if module in _frozen_imports:
        return _frozen_imports[module]
    return [found for statement in read_source(module).imports if (found := _resolve(statement, module)) is not None]


def _resolve(statement: Import, importer: Module) -> Module | None:
    """The module of ours, or of the user's, that an import statement leads to."""
    if statement.name is not None:
        submodule = _find(f"{statement.module}.{statement.name}", importer)
        if submodule is not None:
            return submodule
    module = _find(statement.module, importer)
    if module is None or statement.name is None or not module.is_package:
        return module
    onward = read_source(module).exports.get(statement.name)
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


def read_source(module: Module) -> Source:
    """The source of a module, read again where its file has changed, unless sources are kept as they were."""
    return _frozen.get(module) or _parse(module, module.path.stat().st_mtime_ns)


@cache
def _parse(module: Module, modified: int) -> Source:
    tree = ast.parse(module.path.read_bytes(), str(module.path))
    imports = tuple(pair for node in _running(tree) for pair in _imports(node, module))
    return Source(code_hash(tree), tuple(statement for _, statement in imports), dict(imports))


def code_hash(tree: ast.Module) -> str:
    """A short hash of the code in a syntax tree, without docstrings; the same in all versions of Python."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return sha256(_canonical(tree).encode()).hexdigest()[:12]


def _canonical(node: Any) -> str:
    """A syntax tree as text: nodes by class with the fields that are not empty, and constants with their types.

    Versions of Python differ in fields that are empty, and 3.12 in empty texts beside the values of f-strings.
    """
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__} {node.value!a}"
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    if isinstance(node, ast.JoinedStr):
        node = ast.JoinedStr([value for value in node.values if getattr(value, "value", None) != ""])
    fields = {name: value for name, value in ast.iter_fields(node) if value is not None and value != []}
    return f"{type(node).__name__}({','.join(f'{name}={_canonical(value)}' for name, value in fields.items())})"


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a syntax tree without what only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
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
