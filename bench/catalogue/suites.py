"""Suites by name or by file, read from their sources without importing them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from bench.catalogue.components import Described, components
from bench.catalogue.definitions import assignments, elements, resolve
from bench.catalogue.plugins import installed
from bench.errors import UserError, nearest, unknown

SUITES = Path(__file__).parents[1] / "suites"


@dataclass(frozen=True)
class SuiteEntry(Described):
    """A suite's file, with the source text of each argument of its `Suite(...)` expression, element by element."""

    name: str
    path: Path
    description: str
    parts: Mapping[str, list[str]]
    names: frozenset[str]  # everything the file imports or defines
    given_by_path: bool = False
    module: str = ""  # that an installed package names, of a suite that it adds


@cache
def suites() -> Mapping[str, SuiteEntry]:
    """The suites that come with the package, by name."""
    files = sorted(path for path in SUITES.glob("*.py") if path.stem != "__init__")
    return {path.stem: _read(path) for path in files}


def find_suite(name: str) -> SuiteEntry:
    """The suite with this name, or at this path if the name ends in .py. Raises UserError."""
    if not name:
        raise UserError(f"which suite? Give --suite one of {', '.join(suites())}, or the path of your own file")
    if not name.endswith(".py"):
        if name in (added := installed("suites")):
            module = added[name].module
            try:
                spec = find_spec(module)
                return replace(_read(Path(str(spec and spec.origin))), name=name, module=module)
            except (ImportError, OSError, ValueError) as error:
                raise UserError(f"the plugin {module} of suite {name} cannot be read: {error}") from error
        if name not in suites():
            raise unknown("suite", name, suites(), "or the path of your own file, ending in .py")
        return suites()[name]
    path = Path(name)
    try:
        return replace(_read(path), given_by_path=True)
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}") from error
    except FileNotFoundError as error:
        close = nearest(name, [str(file) for file in sorted(path.parent.glob("*.py"))])
        raise UserError(f"there is no file {path}" + (f": did you mean {close}?" if close else "")) from error
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def check_name(package: str, name: str, suite: SuiteEntry) -> None:
    """Raise UserError where neither the package nor the file of the suite knows a system or learner of this name."""
    ours = components(package)
    if name not in ours and name not in suite.names and name not in installed(package):
        raise unknown(package.removesuffix("s"), name, ours, f"python -m bench list {package}")


def _read(path: Path) -> SuiteEntry:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    values = dict(assignments(tree.body))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "learners":  # what groups of them consist of
            imported = {alias.name: resolve(node.module, alias.name)[1] for alias in node.names}
            values |= {name: group for name, group in imported.items() if isinstance(group, ast.Tuple)}
    call = values.get("suite")
    keywords = call.keywords if isinstance(call, ast.Call) else []
    parts = {keyword.arg: list(elements(keyword.value, values)) for keyword in keywords if keyword.arg}
    nodes = list(ast.walk(tree))
    names = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    names |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    return SuiteEntry(path.stem, path, ast.get_docstring(tree) or "", parts, frozenset(names))
