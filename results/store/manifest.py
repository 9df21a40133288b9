"""The manifest of a run, read from its file, and the classes and settings of its systems and learners."""

import json
import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.store.errors import BrokenRunError
from results.store.shape import fits

LEADING_METRIC = "vpt"  # by which learners are ranked, in a suite that has it
CAPPED = "vpt_capped"  # the share of test states whose forecast is valid up to the horizon
ERROR = "nrmse"  # ranks learners where all of them reach the horizon
_COMPONENT = {"label": str, "class?": str, "settings?": dict}  # older programs did not write class and settings
SHAPE = {  # of the parts that are read here, as `fits` takes it
    "suite": str, "seeds": [int], "systems": [str], "learners": [{**_COMPONENT, "reference": bool}],
    "metrics": [{"name": str, "unit": str, "better": str}], "sampling": dict,
    "cells": [{"key": str, "system": str, "learner": str}], "environment": dict, "system_settings?": [_COMPONENT],
    "variants?": [{"label": str, "of": str, "at": dict}],
}  # fmt: skip


def leading_metric(metrics: Iterable[str]) -> str:
    """The metric that is shown first: the valid prediction time; of a suite that lacks it, its first one."""
    metrics = list(metrics)
    return metrics[0] if metrics and LEADING_METRIC not in metrics else LEADING_METRIC


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """The manifest in the folder of a run. Raises BrokenRunError, which names the file and what is wrong with it."""
    path, remedy = folder / "manifest.json", "`python -m bench run` writes it anew"
    try:
        manifest = json.loads(path.read_text())
        absent = [name for name in SHAPE if not name.endswith("?") and name not in manifest]
    except FileNotFoundError as error:
        raise BrokenRunError(
            f"no run in {folder}: manifest.json is missing; `python -m bench run` writes it"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise BrokenRunError(f"{path} cannot be read ({error}); {remedy}") from error
    if absent:
        raise BrokenRunError(f"{path} lacks {', '.join(absent)}; {remedy}")
    wrong = [name.strip("?") for name, shape in SHAPE.items() if not fits(manifest, {name: shape})]
    if not wrong and not re.fullmatch(r"\w[\w.-]*", manifest["suite"]):  # which is the name of a folder
        wrong = ["suite"]
    if not wrong:
        learners = [learner["label"] for learner in manifest["learners"]]
        wrong = [
            "cells"
            for cell in manifest["cells"]
            if cell["system"] not in manifest["systems"]
            or cell["learner"] not in learners
            or not re.fullmatch(r"[\w-]+", cell["key"])  # which may be the name of a folder
        ]
    if wrong:
        raise BrokenRunError(f"{path} has other {wrong[0]} than a run writes; {remedy}")
    return manifest


@dataclass(frozen=True)
class Component:
    """The class of a system or learner by its name, and its settings that are not the defaults.

    Fields of nested configurations have dotted names (`training.batch`); a value that is itself a system or learner is
    a Component.
    """

    kind: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """A system or learner of a sweep: the label of what it was made from, and its value on each axis, by its name."""

    of: str
    at: Mapping[str, Any]


def read_component(entry: Mapping[str, Any]) -> Component:
    """The component of an entry of a manifest.

    Manifests of older programs lack `class` and `settings`; what their labels leave out is then not known.
    """
    if "class" not in entry:
        return parse_label(entry.get("configuration", entry["label"]))
    settings = {
        name: read_component(value) if isinstance(value, dict) and value.keys() >= {"class", "settings"} else value
        for name, value in entry["settings"].items()
    }
    return Component(entry["class"], settings)


def read_variant(entry: Mapping[str, Any]) -> Variant:
    """The variant of an entry of a manifest."""
    at = {name: tuple(value) if isinstance(value, list) else value for name, value in entry["at"].items()}
    return Variant(entry["of"], at)


def parse_label(label: str) -> Component:
    """The component that a full label describes: `Fewer[learner=NeuralODE[lookahead=5],trajectories=1]`."""
    kind, _, inside = label.partition("[")
    items = (item.partition("=") for item in _split(inside.removesuffix("]")))
    return Component(kind, {name: _value(text) for name, _, text in items})


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
