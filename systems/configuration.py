"""Names and plain descriptions of configured systems, learners and suites: what labels and cell keys are made of."""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any


def label(component: Any) -> str:
    """The class name, with the fields that differ from their defaults: `NeuralODE[lookahead=5]`."""
    changed = changes(component)
    inside = ",".join(f"{name}={_shown(value)}" for name, value in changed.items())
    return f"{type(component).__name__}[{inside}]" if inside else type(component).__name__


def changes(component: Any, prefix: str = "") -> dict[str, Any]:
    """The fields that differ from their defaults; those of nested configurations under dotted names."""
    changed: dict[str, Any] = {}
    for field in fields(component):
        value, default = getattr(component, field.name), _default(field)
        if not field.init:
            continue  # it follows from the others
        if is_dataclass(value) and type(value) is type(default):
            changed |= _differences(value, default, f"{prefix}{field.name}.")
        elif value != default:
            changed[prefix + field.name] = value
    return changed


def describe(component: Any) -> Any:
    """A configuration as JSON-ready values: all fields of nested dataclasses, with the class name under `class`."""
    if is_dataclass(component):
        described = {field.name: describe(getattr(component, field.name)) for field in fields(component)}
        return {"class": type(component).__name__} | described
    if isinstance(component, (tuple, list)):
        return [describe(item) for item in component]
    return component


def _shown(value: Any) -> str:
    return label(value) if is_dataclass(value) else str(value)


def _default(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _differences(value: Any, default: Any, prefix: str) -> dict[str, Any]:
    pairs = ((field.name, getattr(value, field.name), getattr(default, field.name)) for field in fields(value))
    return {prefix + name: mine for name, mine, theirs in pairs if mine != theirs}
