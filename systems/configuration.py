"""Names and plain descriptions of configured systems, learners and suites: what labels and cell keys are made of."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from itertools import combinations, product
from operator import attrgetter
from typing import Any

LONGEST = 32  # characters of a label in a table
UPDATES = "training.updates"
LAST = (UPDATES, "training.drop")  # how long was trained, and with what end: they say least of what a learner is
KIND = "network"  # the field that says most of what a learner is
SHADE = "activation"  # that which says least of all that are words


def label(component: Any) -> str:
    """The class name, with the fields that differ from their defaults: `NeuralODE[lookahead=5]`.

    A class may have a property `shown_as` for what is called otherwise.
    """
    return getattr(component, "shown_as", "") or _labelled(type(component).__name__, changes(component))


def short_labels(components: Sequence[Any]) -> list[str]:
    """Labels of at most LONGEST characters where that can be: long ones keep only what tells a class's members apart.

    That is their kind, and of the fields that differ from their defaults, the fewest that are different for each of a
    kind: words, before any number, and its own before those of its training; its updates, and then its rate's last
    fall, where nothing else does.
    """
    labels = [label(component) for component in components]
    changed = [changes(component) for component in components]
    families: dict[str, dict[Any, list[int]]] = {}
    for place, component in enumerate(components):
        kinds = families.setdefault(type(component).__name__, {})
        kinds.setdefault(changed[place].get(KIND), []).append(place)
    for name, kinds in families.items():
        if max(len(labels[place]) for places in kinds.values() for place in places) > LONGEST:
            for kind, places in kinds.items():
                told = {KIND: kind} if kind is not None and len(kinds) > 1 else {}
                for place, kept in zip(places, _telling([changed[place] for place in places]), strict=True):
                    labels[place] = _labelled(name, told | kept)
    return labels


def _telling(changed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The changes of the fewest fields by which no two are alike: of words alone, or with as few numbers as can be."""
    values = {name: value for one in changed for name, value in one.items()}
    names = sorted(values, key=lambda name: ("." in name, name == SHADE))
    words = [name for name in names if isinstance(values[name], str)]
    every = [name for name in names if name not in words]
    for left_out in (LAST, LAST[1:], ()):
        numbers = [name for name in every if name not in left_out]
        for figures, count in product(range(len(numbers) + 1), range(len(words) + 1)):
            for named, counted in product(combinations(words, count), combinations(numbers, figures)):
                kept = [{name: value for name, value in one.items() if name in named + counted} for one in changed]
                if all(one not in kept[:place] for place, one in enumerate(kept)):
                    return kept
    return list(changed)


def changes(component: Any, prefix: str = "") -> dict[str, Any]:
    """The fields that differ from their defaults; those of nested configurations under dotted names.

    Neither these nor a description have fields that do not tell configurations apart (`compare=False`).
    """
    changed: dict[str, Any] = {}
    for field in fields(component):
        if not (field.init and field.compare):
            continue  # it follows from the others, or says nothing of what this is
        value = getattr(component, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if is_dataclass(value) and type(value) is type(default):
            pairs = ((inner.name, getattr(value, inner.name), getattr(default, inner.name)) for inner in fields(value))
            changed |= {f"{prefix}{field.name}.{name}": mine for name, mine, theirs in pairs if mine != theirs}
        elif value != default:
            changed[prefix + field.name] = value
    return changed


def describe(component: Any, called: Callable[[type], str] = attrgetter("__name__")) -> Any:
    """A configuration as JSON-ready values: all fields of nested dataclasses, with what their class is `called`."""
    if is_dataclass(component):
        told = (field.name for field in fields(component) if field.compare)
        described = {name: describe(getattr(component, name), called) for name in told}
        return {"class": called(type(component))} | described
    if isinstance(component, (tuple, list)):
        return [describe(item, called) for item in component]
    return component


def _labelled(name: str, changed: dict[str, Any]) -> str:
    shown = {field: label(value) if is_dataclass(value) else value for field, value in changed.items()}
    inside = ",".join(f"{field}={value}" for field, value in shown.items())
    return f"{name}[{inside}]" if inside else name
