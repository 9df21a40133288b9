"""What a suite is: systems, learners, metrics, and the protocol under which they are compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from bench.catalogue.plugins import import_file, located
from bench.catalogue.settings import Settings, set_to
from bench.catalogue.suites import find_suite
from bench.cells.cell import Cell
from bench.cells.classifying import ImageCell
from bench.cells.forecasting import ForecastCell
from bench.errors import UserError, unknown
from learners import Budget, Learner
from learners.base import Equal
from learners.images.base import Classifier
from metrics import Metric
from metrics.classification import CLASSIFICATION_COSTS, ClassificationMetric
from systems import Sampling, System
from systems.configuration import label
from systems.html import html_table
from systems.images import ImageSampling, ImageSet

BUDGETS: Mapping[str, Budget] = {"quick": Budget(0.1, climate=0.5), "standard": Budget(), "paper": Budget(10.0)}
FORECASTING, CLASSIFICATION, BOTH = "forecasting", "classification", "both"
PARTS: Mapping[str, tuple[type, ...]] = {
    "systems": (System, ImageSet),
    "learners": (Learner, Classifier),
    "metrics": (Metric,),
}
RESERVED = ("cells", "damaged", "data", "fits", "leases", "films", "timing", "trials", "tuning")  # folders of a store


@dataclass(frozen=True)
class SuiteVariant:
    """A system or learner of a sweep: which of the suite it was made from, and its value on each axis."""

    member: Any
    of: Any
    at: tuple[tuple[str, Any], ...]


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
    published: tuple[Learner, ...] = ()  # learners that repeat a publication, and are marked so in reports
    equal: Equal = ""  # what learners spend alike on training; "": as many updates as each has
    allowance: float = 0.0  # of that, to each seed, times the effort of the budget
    variants: tuple[SuiteVariant, ...] = ()  # what a sweep has made of systems and learners
    unequal: str = ""  # why learners are trained by different numbers of updates, where nothing is equal
    settings: str = ""  # how those of the learners were found

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name) or self.name in RESERVED:
            rule = f"letters, digits and _ . - only, and not {' or '.join(RESERVED)}"
            raise ValueError(f"a suite's name is that of its folder ({rule}), but is {self.name!r}")
        for part, kinds in PARTS.items():
            object.__setattr__(self, part, _members(f"{self.name}.{part}", part, getattr(self, part), kinds))
        for member in (*self.systems, *self.learners, self.sampling, *self.metrics):
            if _family(member) not in (self.family, BOTH):
                name = member.name if isinstance(member, Metric) else label(member)
                raise TypeError(
                    f"{self.name} mixes families: {label(self.systems[0])} is for {self.family}, but {name} is for "
                    f"{_family(member)}; make a suite of each"
                )
        labels: dict[str, list[str]] = {
            "systems": list(map(label, self.systems)),
            "learners": list(map(label, self.learners)),
        }
        for part, names in (labels | {"metrics": [metric.name for metric in self.metrics]}).items():
            twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
            if twice:
                raise ValueError(f"{self.name}.{part} holds {twice} twice: results are told apart by these names")
        if self.seeds < 1:
            raise ValueError(f"a suite needs at least one seed, but {self.name} has seeds={self.seeds}")
        if self.data_seed < 0:
            raise ValueError(f"data_seed must not be negative, but {self.name} has data_seed={self.data_seed}")
        Budget(equal=self.equal, allowance=self.allowance)  # raises ValueError where these do not go together

    def __repr__(self) -> str:
        size = f"{len(self.systems)} systems, {len(self.learners)} learners, {len(self.metrics)} metrics"
        return f"Suite({self.name}: {size}, {self.seeds} seeds)"

    def _repr_html_(self) -> str:
        parts = {
            "systems": map(label, self.systems),
            "learners": map(label, self.learners),
            "metrics": (metric.name for metric in self.metrics),
            "sampling": [repr(self.sampling)],
        }
        return html_table(
            f"{self!r}: {self.description}", ("", ""), [(name, ", ".join(part)) for name, part in parts.items()]
        )

    def cells(self, budget: str = "standard", device: str = "cpu") -> list[Cell]:
        """The grid of the suite, system by system. Raises UserError where the suite has no such budget."""
        if budget not in self.budgets:
            raise unknown("budget", budget, self.budgets)
        spend = replace(self.budgets[budget], equal=self.equal, allowance=self.allowance)
        seeds = tuple(range(self.seeds))
        kind: Any = ForecastCell if self.family == FORECASTING else ImageCell
        shared = kind(
            self.systems[0], self.learners[0], self.sampling, self.metrics, spend, seeds, self.data_seed, device
        )
        own: dict[Any, Any] = dict(self.own)
        try:
            samplings = [
                system.adapt(own.get(system, self.sampling), self.data_seed)
                if isinstance(system, System)
                else self.sampling
                for system in self.systems
            ]
        except ValueError as error:
            raise UserError(str(error)) from error
        return [
            replace(shared, system=system, sampling=sampling, learner=learner)
            for system, sampling in zip(self.systems, samplings, strict=True)
            for learner in self.learners
            if suits(learner, system)
        ]

    @property
    def family(self) -> str:
        """What all of the suite is about, as its systems have it."""
        return _family(self.systems[0])


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


def tuned(suite: Suite, settings: Mapping[str, Settings], how: str) -> Suite:
    """The suite with the settings found for its learners, by their labels. Raises UserError where one is not there.

    Learners that the settings have made the same are one.
    """
    there = {label(learner): learner for learner in suite.learners}
    if missing := settings.keys() - there.keys():
        raise UserError(f"suite {suite.name} has no {', '.join(sorted(missing))} any more: tune it again")
    learners: Any = tuple(dict.fromkeys(set_to(learner, settings.get(name, {})) for name, learner in there.items()))
    return replace(suite, name=f"tuned_{suite.name}", learners=learners, settings=how)


def suits(learner: Learner | Classifier, system: System | ImageSet) -> bool:
    """Whether a suite gives the learner to the system: what is for rings of sites is given to these alone."""
    return not learner.for_rings or (isinstance(system, System) and system.ring)


def _family(member: Any) -> str:
    if isinstance(member, Metric) and member in CLASSIFICATION_COSTS:
        return BOTH
    is_of_images = isinstance(member, (ImageSet, Classifier, ImageSampling, ClassificationMetric))
    return CLASSIFICATION if is_of_images else FORECASTING


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
