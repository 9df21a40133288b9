"""How many updates cost the same processor time: settings that are equal in time and yet the same on every machine.

`python -m bench calibrate` measures what an update costs, and writes `costs.json`, from which suites take their numbers
of updates. Of another machine the times are others, and their ratios about the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from learners import Learner
from systems.configuration import label

COSTS = Path(__file__).parent / "suites" / "costs.json"
SYSTEM = "Lorenz"  # on which costs are measured, but those of learners of fields
SECONDS = 2.5  # of training a seed there, where three seeds are trained together
DIGITS = 2  # of a number of updates

L = TypeVar("L")
C = TypeVar("C", bound=Any)


def priced_on(cells: Sequence[C]) -> C:
    """The cell on whose system costs are measured: that on Lorenz, or the first."""
    return next((cell for cell in cells if cell.system_label == SYSTEM), cells[0])


def trained_by_updates(learner: Any) -> bool:
    """Whether it learns trajectories, and has a number of updates of its own."""
    return isinstance(learner, Learner) and hasattr(getattr(learner, "training", None), "updates")


def priced_as(learner: Any) -> str:
    """The label under which a cost is kept: that of the learner with its class's number of updates."""
    (field,) = (each for each in fields(learner) if each.name == "training")
    standard = field.default if field.default_factory is MISSING else field.default_factory()
    return label(learner if standard is MISSING else with_updates(learner, standard.updates))


def with_updates(learner: L, updates: int) -> L:
    """The learner, trained by so many updates."""
    each: Any = learner
    return replace(each, training=replace(each.training, updates=updates))


def affordable(milliseconds: float, seconds: float = SECONDS) -> int:
    """How many updates a time pays for, to two digits, so that another measurement seldom gives another number."""
    updates = 1e3 * seconds / milliseconds
    return max(1, int(float(f"{updates:.{DIGITS}g}")))


def in_equal_time(learners: Iterable[L], seconds: float = SECONDS, system: str = SYSTEM) -> tuple[L, ...]:
    """The learners, each with the updates that so many seconds a seed pay for on a system. ValueError where costs lack.

    `system` is a label, under which costs are kept.
    """
    costs, named = measured(system), [(priced_as(learner), learner) for learner in learners]
    for name, _ in named:
        if name not in costs:
            raise ValueError(
                f"{COSTS.name} does not know what an update of {name} costs on {system}: "
                f"python -m bench calibrate --suite chaos -s {system!r} -l {name!r} --write {COSTS}"
            )
    return tuple(with_updates(learner, affordable(costs[name], seconds)) for name, learner in named)


@cache
def measured(system: str = SYSTEM) -> Mapping[str, float]:
    """Milliseconds of processor time for an update of one seed on a system, by `priced_as`."""
    return json.loads(COSTS.read_text(encoding="utf-8")).get(system, {}).get("milliseconds", {})
