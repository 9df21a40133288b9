"""What exists: systems, learners, metrics and suites, read from their sources without importing them.

Importing them would import torch, which takes seconds; reading them takes milliseconds.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from bench.catalogue.plugins import installed
from bench.errors import UserError, nearest, unknown

ROOTS = {  # the classes that make a package's class a component
    "systems": {"System", "ImageSet"},
    "learners": {"Learner", "Classifier"},
}
METRICS = ("Metric", "ClassificationMetric")  # calls that make one
SUITES = Path(__file__).parents[1] / "suites"


@dataclass(frozen=True)
class Parameter:
    """One field of a component, as its source has it; `default` is empty where the field must be given."""

    name: str
    annotation: str
    default: str
    comment: str


@dataclass(frozen=True)
class Component:
    """A concrete system or learner that its package exports."""

    name: str
    module: str
    description: str  # the whole docstring
    parameters: tuple[Parameter, ...]
    reference: bool  # a yardstick, not a method under comparison
    kind: str = ""  # the root class that makes it a component

    @property
    def about(self) -> str:
        return _first_line(self.description)


@dataclass(frozen=True)
class MetricEntry:
    """A metric that its package exports."""

    name: str
    unit: str
    better: str
    description: str

    @property
    def about(self) -> str:
        return _first_line(self.description)


@dataclass(frozen=True)
class SuiteEntry:
    """A suite's file, with the source text of each argument of its `Suite(...)` expression, element by element."""

    name: str
    path: Path
    description: str
    parts: Mapping[str, list[str]]
    names: frozenset[str]  # everything the file imports or defines
    given_by_path: bool = False
    module: str = ""  # that an installed package names, of a suite that it adds

    @property
    def about(self) -> str:
        return _first_line(self.description)


@cache
def components(package: str) -> Mapping[str, Component]:
    """The concrete components in the `__all__` of `systems` or `learners`, by name."""
    resolved = {name: _resolve(package, name) for name in _exported(package)}
    found = {name: _component(*place) for name, place in resolved.items() if isinstance(place[1], ast.ClassDef)}
    return {name: component for name, component in found.items() if component}


@cache
def metrics() -> Mapping[str, MetricEntry]:
    """The metrics that `metrics` exports, by name: the standard ones first, in their order."""
    source = _source("metrics")
    standard = dict(_assignments(source[0])).get("STANDARD") if source else None
    names = list(_elements(standard, {})) if standard else []
    resolved = [_resolve("metrics", name) for name in dict.fromkeys([*names, *_exported("metrics")])]
    entries = [entry for module, node in resolved for entry in _metrics_in(module, node)]
    return {entry.name: entry for entry in entries}


@cache
def suites() -> Mapping[str, SuiteEntry]:
    """The suites that come with the package, by name."""
    files = sorted(path for path in SUITES.glob("*.py") if path.stem != "__init__")
    return {path.stem: _read_suite(path) for path in files}


def find_suite(name: str) -> SuiteEntry:
    """The suite with this name, or at this path if the name ends in .py. Raises UserError."""
    if not name:
        raise UserError(f"which suite? Give --suite one of {', '.join(suites())}, or the path of your own file")
    if not name.endswith(".py"):
        if name in (added := installed("suites")):
            return _added_suite(name, added[name].module)
        if name not in suites():
            raise unknown("suite", name, suites(), "or the path of your own file, ending in .py")
        return suites()[name]
    path = Path(name)
    try:
        return replace(_read_suite(path), given_by_path=True)
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}") from error
    except FileNotFoundError as error:
        beside = [str(file) for file in sorted(path.parent.glob("*.py"))]
        close = nearest(name, beside)
        raise UserError(f"there is no file {path}" + (f": did you mean {close}?" if close else "")) from error
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _added_suite(name: str, module: str) -> SuiteEntry:
    """A suite that an installed package adds."""
    try:
        spec = find_spec(module)
        return replace(_read_suite(Path(str(spec and spec.origin))), name=name, module=module)
    except (ImportError, OSError, ValueError) as error:
        raise UserError(f"the plugin {module} of suite {name} cannot be read: {error}") from error


def check_name(package: str, name: str, suite: SuiteEntry) -> None:
    """Raise UserError where neither the package nor the file of the suite knows a system or learner of this name."""
    known = components(package)
    if name not in known and name not in suite.names and name not in installed(package):
        raise unknown(package.removesuffix("s"), name, known, f"python -m bench list {package}")


def _read_suite(path: Path) -> SuiteEntry:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    values = dict(_assignments(tree))
    call = values.get("suite")
    parts = _parts(call, values) if isinstance(call, ast.Call) else {}
    return SuiteEntry(path.stem, path, ast.get_docstring(tree) or "", parts, frozenset(_names(tree)))


def _parts(call: ast.Call, values: Mapping[str, ast.expr]) -> dict[str, list[str]]:
    return {keyword.arg: list(_elements(keyword.value, values)) for keyword in call.keywords if keyword.arg}


def _elements(node: ast.expr, values: Mapping[str, ast.expr]) -> Iterator[str]:
    """The text of an expression, or of each element of a sequence; constants of the module are shown by their value."""
    if isinstance(node, ast.Name) and node.id in values:
        yield from _elements(values[node.id], {})
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _elements(element.value if isinstance(element, ast.Starred) else element, values)
    else:
        yield ast.literal_eval(node) if _is_text(node) else ast.unparse(node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


Definition = ast.ClassDef | ast.FunctionDef | ast.expr
Place = tuple[str, Definition | None]  # the module, and what it defines there


@cache
def _source(module: str) -> tuple[ast.Module, list[bytes]] | None:
    """The syntax tree and the lines of a module; None where it is not one of ours."""
    package = module.partition(".")[0]
    spec = find_spec(package) if package in ("systems", "learners", "metrics") else None
    if spec is None or spec.origin is None:
        return None
    inside = module.split(".")[1:] or ["__init__"]
    path = Path(spec.origin).parent.joinpath(*inside).with_suffix(".py")
    if not path.exists():
        return None
    text = path.read_bytes()
    return ast.parse(text), text.splitlines()


def _exported(package: str) -> list[str]:
    source = _source(package)
    names = dict(_assignments(source[0])).get("__all__") if source else None
    return ast.literal_eval(names) if names else []


def _resolve(module: str, name: str) -> Place:
    """Where a name that a module defines or imports is defined, and its definition."""
    source = _source(module)
    if source is None:
        return module, None
    for node in source[0].body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _resolve(node.module, alias.name)
    return module, dict(_assignments(source[0])).get(name)


def _lineage(module: str, node: Definition | None) -> Iterator[tuple[str, ast.ClassDef]]:
    """A class and its ancestors among our packages, nearest first."""
    if not isinstance(node, ast.ClassDef):
        return
    yield module, node
    for base in node.bases:
        if isinstance(base, ast.Name):
            yield from _lineage(*_resolve(module, base.id))


def _component(module: str, node: Definition | None) -> Component | None:
    """The component that a class is, unless it is abstract or something else altogether."""
    lineage = list(_lineage(module, node))
    names = [ancestor.name for _, ancestor in lineage]
    kinds = [name for name in names if name in ROOTS[module.partition(".")[0]]]
    if not kinds or _is_abstract([ancestor for _, ancestor in lineage]):
        return None
    parameters: dict[str, Parameter] = {}
    for home, ancestor in reversed(lineage):
        parameters |= {parameter.name: parameter for parameter in _parameters(home, ancestor)}
    flags = [value for _, ancestor in lineage for name, value in _class_constants(ancestor) if name == "reference"]
    reference = bool(flags) and ast.unparse(flags[0]) == "True"
    description = ast.get_docstring(lineage[0][1]) or ""
    return Component(names[0], module, description, tuple(parameters.values()), reference, kinds[0])


def _is_abstract(lineage: list[ast.ClassDef]) -> bool:
    """Whether an abstract method is left, when every name means its nearest definition."""
    open_methods: dict[str, bool] = {}
    for ancestor in lineage:
        for name, _ in _class_constants(ancestor):
            open_methods.setdefault(name, False)
        for node in ancestor.body:
            if isinstance(node, ast.FunctionDef):
                decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
                open_methods.setdefault(node.name, bool(decorators & {"abstractmethod", "abc.abstractmethod"}))
    return any(open_methods.values())


def _class_constants(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    return _assignments(ast.Module(body=node.body, type_ignores=[]))


def _parameters(module: str, node: ast.ClassDef) -> Iterator[Parameter]:
    """The fields of a dataclass; those of a nested configuration under dotted names."""
    source = _source(module)
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name) or not source:
            continue
        if item.value and "init=False" in ast.unparse(item.value):
            continue  # it follows from the others
        name, annotation = item.target.id, ast.unparse(item.annotation)
        made = _made(module, item.value)
        home, meaning = _resolve(module, ast.unparse(made.func) if isinstance(made, ast.Call) else annotation)
        if isinstance(meaning, ast.ClassDef):
            given = _arguments(made, meaning.name)
            for inner in _parameters(home, meaning):
                default = given.get(inner.name, inner.default)
                yield replace(inner, name=f"{name}.{inner.name}", default=default)
        elif not annotation.startswith("ClassVar"):
            default = ast.unparse(item.value) if item.value else ""
            choices = _choices(meaning or item.annotation)
            yield Parameter(name, choices or annotation, default, _comment(source[1], item))


def _made(module: str, default: ast.expr | None) -> ast.expr | None:
    """The expression that a default value comes from: what its factory returns, or a constant of the module."""
    keywords = default.keywords if isinstance(default, ast.Call) else []
    factory = next((keyword.value for keyword in keywords if keyword.arg == "default_factory"), None)
    if isinstance(factory, ast.Lambda):
        return _made(module, factory.body)
    if isinstance(factory, ast.Name):
        meaning = _resolve(module, factory.id)[1]
        body = meaning.body if isinstance(meaning, ast.FunctionDef) else []
        returned = [node.value for node in body if isinstance(node, ast.Return)]
        return returned[0] if returned else ast.Call(factory, [], [])
    constant = _resolve(module, default.id)[1] if isinstance(default, ast.Name) else None
    return constant if isinstance(constant, ast.expr) else default


def _arguments(node: ast.expr | None, name: str) -> dict[str, str]:
    """The keywords of the call of a class somewhere in an expression."""
    calls = (
        [one for one in ast.walk(node) if isinstance(one, ast.Call) and ast.unparse(one.func) == name] if node else []
    )
    return {keyword.arg: ast.unparse(keyword.value) for call in calls for keyword in call.keywords if keyword.arg}


def _choices(node: Definition) -> str:
    """The values of a Literal, or nothing."""
    if not isinstance(node, ast.Subscript) or ast.unparse(node.value) != "Literal":
        return ""
    return " | ".join(_elements(node.slice, {}))


def _comment(lines: list[bytes], node: ast.AnnAssign) -> str:
    """The comment behind a field, if there is one; what else may stand there is white space."""
    rest = lines[(node.end_lineno or 1) - 1][node.end_col_offset :].decode().strip()
    return rest.lstrip("# ") if rest.startswith("#") else ""


def _metrics_in(module: str, node: Definition | None) -> Iterator[MetricEntry]:
    """The metric that `Metric(name, unit, better, measure)` makes."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in METRICS:
        return
    order = ("name", "unit", "better", "measure", "about")
    arguments = dict(zip(order, node.args, strict=False)) | {keyword.arg: keyword.value for keyword in node.keywords}
    name, unit, better = (ast.literal_eval(arguments[part]) for part in order[:3])
    measure = _resolve(module, ast.unparse(arguments["measure"]))[1]
    documented = isinstance(measure, (ast.FunctionDef, ast.ClassDef))
    about = ast.literal_eval(arguments["about"]) if "about" in arguments else ""
    yield MetricEntry(name, unit, better, about or (ast.get_docstring(measure) if documented else "") or "")


def _first_line(description: str) -> str:
    return description.strip().partition("\n")[0]
