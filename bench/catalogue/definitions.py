"""Where the names of our packages are defined, read from syntax trees: importing them would take seconds."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("systems", "learners", "metrics")

Definition = ast.ClassDef | ast.FunctionDef | ast.expr


@cache
def read_module(module: str) -> tuple[ast.Module, list[bytes]] | None:
    """The syntax tree and the lines of a module; None where it is not one of ours."""
    package, *inside = module.split(".")
    spec = find_spec(package) if package in PACKAGES else None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*(inside or ["__init__"])).with_suffix(".py")
    if not path.exists():
        return None
    text = path.read_bytes()
    return ast.parse(text), text.splitlines()


def exported(package: str) -> list[str]:
    """The names in the `__all__` of a package."""
    _, names = resolve(package, "__all__")
    return ast.literal_eval(names) if isinstance(names, ast.expr) else []


def resolve(module: str, name: str) -> tuple[str, Definition | None]:
    """The module where a name is defined that a module defines or imports, and the definition; None if it has none."""
    source = read_module(module)
    if source is None:
        return module, None
    for node in source[0].body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return resolve(node.module, alias.name)
    return module, dict(assignments(source[0].body)).get(name)


def lineage(module: str, node: Definition | None) -> Iterator[tuple[str, ast.ClassDef]]:
    """A class and its ancestors among our packages, nearest first, with their modules; nothing of what is no class."""
    if isinstance(node, ast.ClassDef):
        yield module, node
        for base in node.bases:
            if isinstance(base, ast.Name):
                yield from lineage(*resolve(module, base.id))


def assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The names that statements assign to, and the expressions."""
    for node in body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def elements(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    """The text of an expression, or of each element of a sequence; of a name among the constants, that of its value."""
    if isinstance(node, ast.Name) and node.id in constants:
        yield from elements(constants[node.id], {})
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from elements(element.value if isinstance(element, ast.Starred) else element, constants)
    else:
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        yield ast.literal_eval(node) if is_text else ast.unparse(node)
