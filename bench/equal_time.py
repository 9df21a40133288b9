"""How many updates cost the same processor time: settings that are equal in time and yet the same on every machine.

`python -m bench calibrate` measures what an update costs, and writes `costs.json`, from which suites take their numbers
of updates. Of another machine the times are others, and their ratios about the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from learners import Learner, Training
from systems.configuration import label

COSTS_FILE = Path(__file__).parent / "suites" / "costs.json"
SYSTEM = "Lorenz"  # on which costs are measured, but those of learners of fields
SECONDS = 2.5  # of training a seed there, where three seeds are trained together
DIGITS = 2  # of a number of updates

L = TypeVar("L")
C = TypeVar("C", bound=Any)


def priced_on(cells: Sequence[C]) -> C:
    """The cell on whose system costs are measured: that on Lorenz, or the first."""
    return next((cell for cell in cells if cell.system_label == SYSTEM), cells[0])


def trained_by_updates(learner: Any) -> bool:
    """Whether it learns trajectories, and has a number of updates, its own or that of a learner within."""
    return bool(training_field(learner))


def training_field(learner: Any) -> str:
    """The dotted name of its training by updates, as `training` or `learner.training`; empty where there is none."""
    if not isinstance(learner, Learner):
        return ""
    if hasattr(getattr(learner, "training", None), "updates"):
        return "training"
    within = ((each.name, training_field(getattr(learner, each.name))) for each in fields(learner))
    return next((f"{name}.{inner}" for name, inner in within if inner), "")


def training_of(learner: Any) -> Training:
    """Its training by updates. ValueError where it has none."""
    if not (name := training_field(learner)):
        raise ValueError(f"{label(learner)} is not trained by updates")
    return attrgetter(name)(learner)


def with_training(learner: L, **changes: Any) -> L:
    """The learner with other fields of its training."""
    each: Any = learner
    head, _, inner = training_field(each).partition(".")
    part = getattr(each, head)
    return replace(each, **{head: with_training(part, **changes) if inner else replace(part, **changes)})


def priced_as(learner: Any) -> str:
    """The label under which a cost is kept: that of the learner with its class's number of updates."""
    *outer, last = training_field(learner).split(".")
    owner = attrgetter(".".join(outer))(learner) if outer else learner
    (field,) = (each for each in fields(owner) if each.name == last)
    standard = field.default if field.default_factory is MISSING else field.default_factory()
    return label(learner if standard is MISSING else with_training(learner, updates=standard.updates))


def affordable(milliseconds: float, seconds: float = SECONDS) -> int:
    """How many updates a time pays for, to two digits, so that another measurement seldom gives another number."""
    updates = 1e3 * seconds / milliseconds
    return max(1, int(float(f"{updates:.{DIGITS}g}")))


def in_equal_time(learners: Iterable[L], seconds: float = SECONDS, system: str = SYSTEM) -> tuple[L, ...]:
    """The learners, each with the updates that so many seconds a seed pay for on a system. ValueError where costs lack.

    `system` is a label, under which costs are kept.
    """
    costs = measured(system)
    named = [(priced_as(learner), learner) for learner in learners]
    for name, _ in named:
        if name not in costs:
            raise ValueError(
                f"{COSTS_FILE.name} does not know what an update of {name} costs on {system}: "
                f"python -m bench calibrate --suite chaos -s {system!r} -l {name!r} --write {COSTS_FILE}"
            )
    return tuple(with_training(learner, updates=affordable(costs[name], seconds)) for name, learner in named)


@cache
def measured(system: str = SYSTEM) -> Mapping[str, float]:
    """Milliseconds of processor time for an update of one seed on a system, by `priced_as`."""
    return json.loads(COSTS_FILE.read_text(encoding="utf-8")).get(system, {}).get("milliseconds", {})
