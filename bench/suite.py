"""What a suite is: systems, learners, metrics, and the protocol under which they are compared."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from bench import override
from bench.catalogue import components, find_suite
from bench.cell import Cell
from bench.classification import ImageCell
from bench.errors import UserError, unknown
from bench.plugins import find, import_file, located
from learners import Budget, Learner
from learners.classifier import Classifier
from metrics import Metric
from metrics.classification import COSTS, ClassificationMetric
from systems import Sampling, System
from systems.configuration import changes, describe, label, short_labels
from systems.images import ImageSampling, ImageSet

BUDGETS: Mapping[str, Budget] = {"quick": Budget(0.1, climate=0.5), "standard": Budget(), "paper": Budget(10.0)}
FORECASTING, CLASSIFICATION, BOTH = "forecasting", "classification", "both"
PARTS: Mapping[str, tuple[type, ...]] = {
    "systems": (System, ImageSet),
    "learners": (Learner, Classifier),
    "metrics": (Metric,),
}
RESERVED = (
    "cells",
    "damaged",
    "data",
    "fits",
    "leases",
    "reels",
    "timing",
    "trials",
    "tuning",
)  # folders beside suites


@dataclass(frozen=True)
class Suite:
    """A comparison: every learner on every system, over the same data and seeds. One expression in a file of its own.

    There are two families, which do not mix: learners that forecast systems, and classifiers of image sets. Raises
    ValueError or TypeError where a suite could not be run as it stands.
    """

    name: str
    description: str
    systems: tuple[System, ...] | tuple[ImageSet, ...]
    learners: tuple[Learner, ...] | tuple[Classifier, ...]
    metrics: tuple[Metric, ...]
    sampling: Sampling | ImageSampling = field(default_factory=Sampling)
    seeds: int = 3
    data_seed: int = 0
    budgets: Mapping[str, Budget] = field(default_factory=lambda: BUDGETS)
    own: tuple[tuple[System, Sampling], ...] = ()  # systems that are observed in a way of their own

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name) or self.name in RESERVED:
            rule = f"letters, digits and _ . - only, and not {' or '.join(RESERVED)}"
            raise ValueError(f"a suite's name is that of its folder ({rule}), but is {self.name!r}")
        for part, kinds in PARTS.items():
            object.__setattr__(self, part, _members(f"{self.name}.{part}", part, getattr(self, part), kinds))
        self._refuse_mixture()
        _distinct(f"{self.name}.systems", [label(system) for system in self.systems])
        _distinct(f"{self.name}.learners", [label(learner) for learner in self.learners])
        _distinct(f"{self.name}.metrics", [metric.name for metric in self.metrics])
        if self.seeds < 1:
            raise ValueError(f"a suite needs at least one seed, but {self.name} has seeds={self.seeds}")
        if self.data_seed < 0:
            raise ValueError(f"data_seed must not be negative, but {self.name} has data_seed={self.data_seed}")

    def cells(self, budget: str = "standard", device: str = "cpu") -> list[Cell]:
        """The grid of the suite, system by system. Raises UserError where the suite has no such budget."""
        if budget not in self.budgets:
            raise unknown("budget", budget, self.budgets)
        spend, seeds = self.budgets[budget], tuple(range(self.seeds))
        kind: Any = Cell if self.family == FORECASTING else ImageCell
        shared = kind(
            self.systems[0], self.learners[0], self.sampling, self.metrics, spend, seeds, self.data_seed, device
        )
        try:
            own: dict[Any, Sampling] = dict(self.own)
            observed = [(one, _adapted(one, own.get(one, self.sampling), self.data_seed)) for one in self.systems]
        except ValueError as error:
            raise UserError(str(error)) from error
        return [
            replace(shared, system=system, sampling=sampling, learner=learner)
            for system, sampling in observed
            for learner in self.learners
        ]

    @property
    def family(self) -> str:
        """What all of the suite is about, as its systems have it."""
        return _family(self.systems[0])

    def _refuse_mixture(self) -> None:
        """Raise TypeError where a part belongs to another family than the first system."""
        for member in (*self.systems, *self.learners, self.sampling, *self.metrics):
            if _family(member) not in (self.family, BOTH):
                name = member.name if isinstance(member, Metric) else label(member)
                raise TypeError(
                    f"{self.name} mixes families: {label(self.systems[0])} is for {self.family}, but {name} is for "
                    f"{_family(member)}; make a suite of each"
                )


def load(name: str) -> Suite:
    """The suite that comes with the package under this name, or that the Python file at this path defines.

    Raises UserError where there is none, or where running its file fails.
    """
    entry = find_suite(name)
    try:
        named = entry.module or f"bench.suites.{entry.name}"
        module = import_file(entry.path) if entry.given_by_path else import_module(named)
    except UserError:
        raise
    except Exception as error:
        raise located(error, entry.path) from error
    suite = getattr(module, "suite", None)
    if not isinstance(suite, Suite):
        raise UserError(f"{entry.path} defines no suite: write `suite = Suite(...)` at the top level of the file")
    return suite


def select(suite: Suite, systems: Sequence[str], learners: Sequence[str]) -> Suite:
    """Keep or configure what is named, in the order of the suite; naming nothing keeps all. Raises UserError.

    A class name keeps every component of that class. With overrides it keeps the component of that very configuration
    if the suite has it; else the suite's component of that class (the one nearest to the defaults, if there are
    several) is given the overrides. What the suite does not have is taken from its package and comes last.
    The suite's reference rows stay, unless some of them are named: no result is shown without any.
    """
    chosen = _selected("learners", suite.learners, learners)
    named = any(learner.reference for learner in chosen)
    references = () if named else (learner for learner in suite.learners if learner.reference)
    return replace(suite, systems=_selected("systems", suite.systems, systems), learners=(*chosen, *references))


def manifest(
    suite: Suite, cells: Sequence[Cell], keys: Sequence[str], budget: str, environment: Mapping[str, Any]
) -> dict[str, Any]:
    """What a run consists of, in the order in which it is shown, as JSON-ready values; long labels are shortened."""
    names = dict(zip(suite.learners, short_labels(suite.learners), strict=True))
    return {
        "suite": suite.name,
        "description": suite.description,
        "budget": budget,
        "command": environment["command"],
        "seeds": list(cells[0].seeds),
        "data_seed": suite.data_seed,
        "systems": [label(system) for system in suite.systems],
        "learners": [
            {"label": name, "configuration": label(learner), "reference": learner.reference}
            for learner, name in names.items()
        ],
        "metrics": [
            {name: getattr(metric, name) for name in ("name", "unit", "better", "about", "group")}
            for metric in suite.metrics
        ],
        "sampling": describe(suite.sampling),
        "cells": [
            {"key": key, "system": label(cell.system), "learner": names[cell.learner]}
            for key, cell in zip(keys, cells, strict=True)
        ],
        "environment": dict(environment),
    }


def _family(member: Any) -> str:
    if isinstance(member, Metric) and member in COSTS:
        return BOTH
    is_of_images = isinstance(member, (ImageSet, Classifier, ImageSampling, ClassificationMetric))
    return CLASSIFICATION if is_of_images else FORECASTING


def _adapted(system: System | ImageSet, sampling: Any, seed: int) -> Sampling | ImageSampling:
    """The protocol as a system has it."""
    return system.adapt(sampling, seed) if isinstance(system, System) else sampling


def _members(where: str, part: str, members: Any, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The members of a part of a suite as a tuple, after a look at each."""
    one = part.removesuffix("s")
    if isinstance(members, kinds):
        raise TypeError(f"{where} is one {one}, not several: write it as a tuple, ({members!r},)")
    if not isinstance(members, (tuple, list)) or not members:
        raise ValueError(f"{where} needs at least one {one}, but is {members!r}")
    for member in members:
        if isinstance(member, type) and issubclass(member, kinds):
            raise TypeError(f"{where} holds the class {member.__name__}: write {member.__name__}()")
        if not isinstance(member, kinds):
            raise TypeError(f"{where} holds {member!r}, which is no {one}")
    return tuple(members)


def _distinct(where: str, names: Sequence[str]) -> None:
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice:
        raise ValueError(f"{where} holds {twice} twice: results are told apart by these names")


def _selected(package: str, members: tuple[Any, ...], wanted: Sequence[str]) -> tuple[Any, ...]:
    """What `wanted` names, each configuration once, in the order of `members`."""
    places = {label(member): place for place, member in enumerate(members)}
    chosen: dict[str, tuple[int, Any]] = {}
    for text in wanted:
        for place, member in _matches(package, members, override.parse(text)):
            chosen.setdefault(label(member), (places.get(label(member), place), member))
    ordered = sorted(chosen.values(), key=lambda pair: pair[0])
    return tuple(member for _, member in ordered) or members


def _matches(package: str, members: tuple[Any, ...], wanted: override.Override) -> Iterator[tuple[int, Any]]:
    """The components that one name with overrides stands for, and their places in the suite."""
    same = [(place, member) for place, member in enumerate(members) if type(member).__name__ == wanted.name]
    if not same:
        yield len(members), override.build(_exported(package, wanted.name, members), wanted.values)
    elif not wanted.values:
        yield from same
    else:
        place, base = min(same, key=lambda pair: _distance(pair[1], wanted.values))
        yield place, override.apply(base, wanted.values)


def _distance(member: Any, values: Mapping[str, str]) -> tuple[bool, int]:
    """First the component with just these fields changed, to just these values; then the nearest to the defaults."""
    exact = changes(member).keys() == values.keys() and override.apply(member, values) == member
    return not exact, len(changes(member))


def _exported(package: str, name: str, members: tuple[Any, ...]) -> type:
    if (added := find(package, name)) is not None:
        return added
    if name not in components(package):
        choices = dict.fromkeys([*(type(member).__name__ for member in members), *components(package)])
        raise unknown(package.removesuffix("s"), name, choices, f"python -m bench list {package}")
    return getattr(import_module(package), name)
