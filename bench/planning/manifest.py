"""The manifest of a run: its cells, and what they were made of."""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from bench.cells.key import Planned
from bench.suite import Suite
from systems.configuration import changes, describe, label, short_labels
from systems.published import true_values


def manifest(suite: Suite, cells: Sequence[Planned], budget: str, environment: Mapping[str, Any]) -> dict[str, Any]:
    """What a run consists of, in the order in which it is shown, as JSON-ready values; long labels are shortened."""
    there = {one.cell.learner for one in cells}
    learners = [learner for learner in suite.learners if learner in there]  # not those of rings where there is none
    shortened = zip(learners, short_labels(learners), strict=True)
    names = {one: f"{name} (as published)" if one in suite.published else name for one, name in shortened}
    placed = {(one.cell.system_label, names[one.cell.learner]) for one in cells}
    lacks = {
        system: missing
        for system in map(label, suite.systems)
        if (missing := [name for name in names.values() if (system, name) not in placed])
    }
    swept = [
        {"label": names.get(one.member) or label(one.member), "of": label(one.of), "at": describe(dict(one.at))}
        for one in suite.variants
    ]
    return {
        "suite": suite.name,
        "description": suite.description,
        "budget": budget,
        **({"equal": suite.equal, "allowance": suite.allowance * suite.budgets[budget].effort} if suite.equal else {}),
        **({"unequal": suite.unequal} if suite.unequal and not suite.equal else {}),
        **({"settings": suite.settings} if suite.settings else {}),
        **({"variants": swept} if swept else {}),
        **({"lacks": lacks} if lacks else {}),  # learners that the suite does not give to a system
        "command": environment["command"],
        "seeds": list(cells[0].cell.seeds),
        "data_seed": suite.data_seed,
        "systems": [label(system) for system in suite.systems],
        "system_settings": [{"label": label(system)} | _class_and_settings(system) for system in suite.systems],
        "learners": [
            {"label": name, "configuration": label(learner), "reference": learner.reference}
            | _class_and_settings(learner)
            for learner, name in names.items()
        ],
        "metrics": [
            {name: getattr(metric, name) for name in ("name", "unit", "better", "about", "group")}
            for metric in suite.metrics
        ],
        "published": {label(system): found for system in suite.systems if (found := true_values(system))},
        "sampling": describe(suite.sampling),
        "cells": [
            {"key": one.key, "system": one.cell.system_label, "learner": names[one.cell.learner]} for one in cells
        ],
        "environment": dict(environment),
    }


def _class_and_settings(component: Any) -> dict[str, Any]:
    """The class of a system or learner, and the fields that differ from their defaults.

    Fields of nested configurations have dotted names; a value that is itself a system or learner is a dictionary of
    its own class and settings.
    """
    settings = {
        name: _class_and_settings(value) if is_dataclass(value) else describe(value)
        for name, value in changes(component).items()
    }
    return {"class": type(component).__name__, "settings": settings}
