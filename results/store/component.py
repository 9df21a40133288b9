"""A system or learner of a run as data: its class, and the settings that differ from their defaults."""

import re
from ast import literal_eval
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Component:
    """The class of a system or learner by its name, and its settings that are not the defaults.

    Fields of nested configurations have dotted names (`training.batch`); a value that is itself a system or learner is
    a Component.
    """

    kind: str
    settings: Mapping[str, Any]


def read_component(entry: Mapping[str, Any]) -> Component:
    """The component of an entry of a manifest.

    Manifests of older programs lack `class` and `settings`; what their labels leave out is then not known.
    """
    if "class" not in entry:
        return parse_label(entry.get("configuration", entry["label"]))
    said = entry["settings"].items()
    settings = {name: read_component(value) if _is_component(value) else value for name, value in said}
    return Component(entry["class"], settings)


def parse_label(label: str) -> Component:
    """The component that a full label describes: `Fewer[learner=NeuralODE[lookahead=5],trajectories=1]`."""
    kind, _, inside = label.partition("[")
    items = (item.partition("=") for item in _split(inside.removesuffix("]")))
    return Component(kind, {name: _value(text) for name, _, text in items})


def _is_component(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= {"class", "settings"}


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no brackets."""
    start = depth = 0
    for place, character in enumerate(text):
        depth += (character in "[(") - (character in "])")
        if character == "," and not depth:
            yield text[start:place]
            start = place + 1
    if text:
        yield text[start:]


def _value(text: str) -> Any:
    """A number, truth value or tuple; a class, which begins with a capital; anything else is text."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return parse_label(text) if re.match(r"[A-Z]\w*($|\[)", text) else text
