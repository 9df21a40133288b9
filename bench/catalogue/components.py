"""Systems, learners and metrics that exist, read from their sources without importing them.

Importing them would import torch, which takes seconds; reading them takes milliseconds.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from bench.catalogue.definitions import Definition, assignments, elements, exported, lineage, read_module, resolve

ROOTS = {  # the classes that make a package's class a component
    "systems": {"System", "ImageSet"},
    "learners": {"Learner", "Classifier"},
}
METRICS = ("Metric", "ClassificationMetric")  # calls that make one


class Described:
    """What has a docstring."""

    description: str  # the whole of it

    @property
    def about(self) -> str:
        """The first line of the docstring."""
        return self.description.strip().partition("\n")[0]


@dataclass(frozen=True)
class Parameter:
    """One field of a component, as its source has it; `default` is empty where the field must be given."""

    name: str
    annotation: str
    default: str
    comment: str


@dataclass(frozen=True)
class ComponentEntry(Described):
    """A concrete system or learner that its package exports."""

    name: str
    module: str
    description: str
    parameters: tuple[Parameter, ...]
    reference: bool  # a yardstick, not a method under comparison
    kind: str = ""  # the root class that makes it a component


@dataclass(frozen=True)
class MetricEntry(Described):
    """A metric that its package exports."""

    name: str
    unit: str
    better: str
    description: str


@cache
def components(package: str) -> Mapping[str, ComponentEntry]:
    """The concrete components in the `__all__` of `systems` or `learners`, by name."""
    found = {name: _component(*resolve(package, name)) for name in exported(package)}
    return {name: component for name, component in found.items() if component}


@cache
def metrics() -> Mapping[str, MetricEntry]:
    """The metrics that `metrics` exports, by name: the standard ones first, in their order."""
    _, standard = resolve("metrics", "STANDARD")
    names = [*(elements(standard, {}) if isinstance(standard, ast.expr) else ()), *exported("metrics")]
    found = [_metric(*resolve("metrics", name)) for name in dict.fromkeys(names)]
    return {entry.name: entry for entry in found if entry}


def _component(module: str, node: Definition | None) -> ComponentEntry | None:
    """The component that a class is, unless it is abstract or something else altogether."""
    ancestors = list(lineage(module, node))
    kinds = [one.name for _, one in ancestors if one.name in ROOTS[module.partition(".")[0]]]
    if not kinds or _is_abstract([one for _, one in ancestors]):
        return None
    parameters: dict[str, Parameter] = {}
    for home, ancestor in reversed(ancestors):
        parameters |= {parameter.name: parameter for parameter in _parameters(home, ancestor)}
    flags = [value for _, one in ancestors for name, value in assignments(one.body) if name == "reference"]
    reference = bool(flags) and ast.unparse(flags[0]) == "True"
    first = ancestors[0][1]
    return ComponentEntry(
        first.name, module, ast.get_docstring(first) or "", tuple(parameters.values()), reference, kinds[0]
    )


def _is_abstract(ancestors: list[ast.ClassDef]) -> bool:
    """Whether an abstract method is left, when every name means its nearest definition."""
    open_methods: dict[str, bool] = {}
    for ancestor in ancestors:
        for name, _ in assignments(ancestor.body):
            open_methods.setdefault(name, False)
        for node in ancestor.body:
            if isinstance(node, ast.FunctionDef):
                decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
                open_methods.setdefault(node.name, bool(decorators & {"abstractmethod", "abc.abstractmethod"}))
    return any(open_methods.values())


def _parameters(module: str, node: ast.ClassDef) -> Iterator[Parameter]:
    """The fields of a dataclass; those of a nested configuration under dotted names."""
    source = read_module(module)
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name) or not source:
            continue
        value = _default(item.value)
        default = ast.unparse(value) if value else ""
        name, annotation = item.target.id, ast.unparse(item.annotation)
        if "init=False" in default or annotation.startswith("ClassVar"):
            continue  # it follows from the others, or is no field
        made = _made(module, item.value)
        home, meaning = resolve(module, ast.unparse(made.func) if isinstance(made, ast.Call) else annotation)
        if isinstance(meaning, ast.ClassDef):
            calls = [one for one in ast.walk(made) if isinstance(one, ast.Call)] if made else []
            given = {
                keyword.arg: ast.unparse(keyword.value)
                for call in calls
                if ast.unparse(call.func) == meaning.name
                for keyword in call.keywords
            }
            for inner in _parameters(home, meaning):
                yield replace(inner, name=f"{name}.{inner.name}", default=given.get(inner.name, inner.default))
        else:
            kind = meaning or item.annotation
            if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "Literal":
                annotation = " | ".join(elements(kind.slice, {})) or annotation
            behind = source[1][(item.end_lineno or 1) - 1][item.end_col_offset :].decode().strip()
            yield Parameter(name, annotation, default, behind.lstrip("# ") if behind.startswith("#") else "")


def _default(value: ast.expr | None) -> ast.expr | None:
    """The default of a field: its value, or what `field(default=...)` says."""
    keywords = value.keywords if isinstance(value, ast.Call) and ast.unparse(value.func) == "field" else []
    return next((keyword.value for keyword in keywords if keyword.arg == "default"), value)


def _made(module: str, default: ast.expr | None) -> ast.expr | None:
    """The expression that a default value comes from: what its factory returns, or a constant of the module."""
    keywords = default.keywords if isinstance(default, ast.Call) else []
    factory = next((keyword.value for keyword in keywords if keyword.arg == "default_factory"), None)
    if isinstance(factory, ast.Lambda):
        return _made(module, factory.body)
    if isinstance(factory, ast.Name):
        meaning = resolve(module, factory.id)[1]
        body = meaning.body if isinstance(meaning, ast.FunctionDef) else []
        returned = [node.value for node in body if isinstance(node, ast.Return)]
        return returned[0] if returned else ast.Call(factory, [], [])
    constant = resolve(module, default.id)[1] if isinstance(default, ast.Name) else None
    return constant if isinstance(constant, ast.expr) else default


def _metric(module: str, node: Definition | None) -> MetricEntry | None:
    """The metric that `Metric(name, unit, better, measure)` makes."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in METRICS:
        return None
    order = ("name", "unit", "better", "measure", "about")
    arguments = dict(zip(order, node.args, strict=False)) | {keyword.arg: keyword.value for keyword in node.keywords}
    name, unit, better = (ast.literal_eval(arguments[part]) for part in order[:3])
    measure = resolve(module, ast.unparse(arguments["measure"]))[1]
    documented = isinstance(measure, (ast.FunctionDef, ast.ClassDef))
    about = ast.literal_eval(arguments["about"]) if "about" in arguments else ""
    return MetricEntry(name, unit, better, about or (ast.get_docstring(measure) if documented else "") or "")
