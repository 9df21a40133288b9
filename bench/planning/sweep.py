"""Sweeps: a suite whose systems and learners stand in variants, one for each value of a field or of several."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from operator import attrgetter
from typing import Any

from bench.catalogue.settings import apply, split
from bench.equal_time import training_field
from bench.errors import UserError, unknown
from bench.planning.selection import remarks_on
from bench.suite import FORECASTING, Suite, SuiteVariant
from systems.observation import Under

PROTOCOL, TRAINING = "Sampling", "Training"  # whose fields are those of all systems, or of all that are trained
MOST = 1_000  # variants of one system or learner


@dataclass(frozen=True)
class Axis:
    """The values, as texts, of a field of the protocol, of training, or of a class of systems or learners."""

    owner: str
    field: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.owner}.{self.field}"


def sweep(suite: Suite, texts: Sequence[str]) -> Suite:
    """The suite with every combination of the values of these axes, in place of what has such a field.

    `Sampling.noise=0,0.1` stands for every system under such protocols, `Training.updates=100,1000` for every learner
    that is trained, and `NeuralODE.lookahead=1,5` or `Lorenz.rho=28,40` for what the suite has of that class. Raises
    UserError, as for a field that nothing in the suite has.
    """
    if not texts:
        return suite
    axes = [_axis(text) for text in texts]
    twice = next((axis.name for place, axis in enumerate(axes) if axis.name in [one.name for one in axes[:place]]), "")
    if twice:
        raise UserError(f"--sweep {twice} is given twice: give all its values at once, {twice}=1,2,3")
    owners = {type(one).__name__ for one in (*suite.systems, *suite.learners)} | {PROTOCOL, TRAINING}
    for axis in axes:
        if axis.owner not in owners:
            remedy = f"the suite has none; add it with -s or -l, or sweep {PROTOCOL}.field or {TRAINING}.field"
            raise unknown("owner of a sweep", axis.owner, sorted(owners), remedy)
        if axis.owner == PROTOCOL and suite.family != FORECASTING:
            raise UserError(f"--sweep {axis.name}: {suite.name} classifies images, which are not sampled so")
    systems = [one for member in suite.systems for one in _systems(member, axes, suite)]
    learners = [one for member in suite.learners for one in _learners(member, axes)]
    idle = {axis.name for axis in axes} - {name for one in (*systems, *learners) for name, _ in one.at}
    if idle:
        raise UserError(f"--sweep {min(idle)}: nothing in {suite.name} has it")
    protocols = dict(suite.own)
    own = {one.member: protocols[one.of] for one in systems if one.of in protocols}
    return replace(
        suite,
        systems=tuple(dict.fromkeys(one.member for one in systems)),
        learners=tuple(dict.fromkeys(one.member for one in learners)),
        own=tuple((protocols | own).items()),
        variants=tuple(one for one in (*systems, *learners) if one.at),
        **remarks_on(suite, [one.member for one in learners]),
    )


def _axis(text: str) -> Axis:
    name, _, values = (part.strip() for part in text.partition("="))
    owner, _, field = name.partition(".")
    found = tuple(value.strip() for value in split(values, text))
    if not found or not owner.isidentifier() or not all(part.isidentifier() for part in field.split(".")):
        raise UserError(f"cannot read --sweep {text!r}: write {PROTOCOL}.noise=0,0.01,0.1 or NeuralODE.lookahead=1,5")
    return Axis(owner, field, found)


def _systems(system: Any, axes: Sequence[Axis], suite: Suite) -> Iterator[SuiteVariant]:
    """The variants of a system: with other parameters, each under other protocols."""
    for member, at in _variants(system, [axis for axis in axes if axis.owner == type(system).__name__]):
        protocols = [axis for axis in axes if axis.owner == PROTOCOL]
        for sampling, how in _variants(dict(suite.own).get(system, suite.sampling), protocols):
            changed = tuple((axis.field, getattr(sampling, axis.field)) for axis in protocols)
            yield SuiteVariant(Under(member, changed) if changed else member, system, (*at, *how))


def _learners(learner: Any, axes: Sequence[Axis]) -> Iterator[SuiteVariant]:
    """The variants of a learner: with other settings, each trained in other ways."""
    within = training_field(learner) or ("training" if hasattr(learner, "training") else "")
    training = [axis for axis in axes if axis.owner == TRAINING and within]
    for member, at in _variants(learner, [axis for axis in axes if axis.owner == type(learner).__name__]):
        for trained, how in _variants(member, training, f"{within}."):
            yield SuiteVariant(trained, learner, (*at, *how))


def _variants(component: Any, axes: Sequence[Axis], within: str = "") -> Iterator[tuple[Any, Any]]:
    """The component with each combination of values, and a pair of each axis's name and value. Raises UserError.

    Fields are those `within` a nested configuration, such as "training.".
    """
    for texts in _combinations(axes):
        changed = apply(component, {within + axis.field: text for axis, text in zip(axes, texts, strict=True)})
        yield changed, tuple((axis.name, attrgetter(within + axis.field)(changed)) for axis in axes)


def _combinations(axes: Sequence[Axis]) -> Iterable[tuple[str, ...]]:
    count = prod(len(axis.values) for axis in axes)
    if count > MOST:
        raise UserError(f"--sweep: {count} combinations of {' and '.join(axis.name for axis in axes)}; {MOST} at most")
    return product(*(axis.values for axis in axes))
