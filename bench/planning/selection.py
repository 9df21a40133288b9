"""The part of a suite that the user asks for."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from bench.catalogue.components import components
from bench.catalogue.plugins import find
from bench.catalogue.settings import Override, apply, build, parse
from bench.errors import UserError, unknown
from bench.suite import PARTS, Suite
from systems import System
from systems.configuration import changes, label


def select(suite: Suite, systems: Sequence[str], learners: Sequence[str]) -> Suite:
    """Keep or configure what is named, in the order of the suite; naming nothing keeps all. Raises UserError.

    A class name keeps every component of that class. With overrides it keeps the component of that very configuration
    if the suite has it; else the suite's component of that class (the one nearest to the defaults, if there are
    several) is given the overrides. What the suite does not have is taken from its package and comes last.
    The suite's reference rows stay, unless some of them are named: no result is shown without any.
    """
    systems_and_bases = _selected("systems", suite.systems, systems)
    for text in learners:
        meant = [member for _, member in _matches("learners", suite.learners, parse(text))]
        check_rings(meant, systems_and_bases or suite.systems)
    chosen = tuple(_selected("learners", suite.learners, learners)) or suite.learners
    named = any(learner.reference for learner in chosen)
    references = () if named else (learner for learner in suite.learners if learner.reference)
    protocols = dict(suite.own)
    own = {system: protocols[base] for system, base in systems_and_bases.items() if base in protocols}
    return replace(
        suite,
        systems=tuple(systems_and_bases) or suite.systems,
        learners=(*chosen, *references),
        own=tuple((protocols | own).items()),
    )


def check_rings(learners: Sequence[Any], systems: Collection[Any]) -> None:
    """Raise UserError where all these learners are for rings of sites, and no system is one."""
    names = [label(system) for system in systems if not isinstance(system, System) or not system.ring]
    if all(learner.for_rings for learner in learners) and len(names) == len(systems):
        raise UserError(
            f"{label(learners[0])} is for systems whose channels are the sites of a ring, such as Lorenz96, but there "
            f"is only {', '.join(names)}; of a recording of one say Recorded[path=FILE,ring=true]"
        )


def class_named(package: str, name: str, members: Sequence[Any] = ()) -> Any:
    """The class of a system or learner: of an included file, of an installed package, or ours. Raises UserError.

    `members` are components whose classes are choices, too.
    """
    kind: Any = find(package, name)
    if kind is None and name not in components(package):
        choices = dict.fromkeys([*(type(member).__name__ for member in members), *components(package)])
        raise unknown(package.removesuffix("s"), name, choices, f"python -m bench list {package}")
    if kind and not (issubclass(kind, PARTS[package]) and hasattr(kind, "__dataclass_fields__")):
        roots = " or ".join(root.__name__ for root in PARTS[package])
        raise UserError(f"{name} is no {package.removesuffix('s')}: make it a dataclass that inherits from {roots}")
    return kind or getattr(import_module(package), name)


def _selected(package: str, members: tuple[Any, ...], wanted: Sequence[str]) -> dict[Any, Any]:
    """What `wanted` names, each once, in the order of `members`, with the member that it was made from."""
    places = {label(member): place for place, member in enumerate(members)}
    chosen: dict[str, tuple[int, Any, Any]] = {}
    for text in wanted:
        for place, member in _matches(package, members, parse(text)):
            base = members[place] if place < len(members) else None
            chosen.setdefault(label(member), (places.get(label(member), place), member, base))
    ordered = sorted(chosen.values(), key=lambda found: found[0])
    return {member: base for _, member, base in ordered}


def _matches(package: str, members: tuple[Any, ...], wanted: Override) -> Iterator[tuple[int, Any]]:
    """The components that one name with overrides stands for, and their places in the suite."""
    same = [(place, member) for place, member in enumerate(members) if type(member).__name__ == wanted.name]
    if not same:
        yield len(members), build(class_named(package, wanted.name, members), wanted.values)
    elif not wanted.values:
        yield from same
    else:
        # First the component with just these fields changed, to just these values; then the nearest to the defaults.
        def distance(pair: tuple[int, Any]) -> tuple[bool, int]:
            changed = changes(pair[1])
            exact = changed.keys() == wanted.values.keys() and apply(pair[1], wanted.values) == pair[1]
            return not exact, len(changed)

        place, base = min(same, key=distance)
        yield place, apply(base, wanted.values)
