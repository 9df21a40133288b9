"""The part of a suite that the user asks for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain
from typing import Any

from bench.catalogue.components import components
from bench.catalogue.plugins import find
from bench.catalogue.settings import apply, build, parse
from bench.errors import UserError, unknown
from bench.suite import PARTS, Suite, suits
from systems.configuration import changes, label, short_labels

MOST_NAMED = 3  # learners in a sentence


def select(suite: Suite, systems: Sequence[str], learners: Sequence[str]) -> Suite:
    """Keep or configure what is named, in the order of the suite; naming nothing keeps all. Raises UserError.

    A class name keeps every component of that class, a label that reports show the component of that label. With
    overrides a class name keeps the component that has these values, if there is one; else the suite's component of
    that class is given them (the one nearest to the defaults, where there are several). What the suite does not have
    is taken from its package and comes last.
    The suite's reference rows stay, unless some of them are named: no result is shown without any.
    """
    systems_and_bases = _selected(suite.systems, [_matches("systems", suite.systems, text) for text in systems])
    matches = [_matches("learners", suite.learners, text) for text in learners]
    for meant in matches:
        check_suitable([learner for _, learner in meant], systems_and_bases or suite.systems)
    chosen = tuple(_selected(suite.learners, matches)) or suite.learners
    named = any(learner.reference for learner in chosen)
    references = () if named else (learner for learner in suite.learners if learner.reference)
    protocols = dict(suite.own)
    own = {system: protocols[base] for system, base in systems_and_bases.items() if base in protocols}
    return replace(
        suite,
        systems=tuple(systems_and_bases) or suite.systems,
        learners=(*chosen, *references),
        own=tuple((protocols | own).items()),
        **remarks_on(suite, chosen),
    )


def remarks_on(suite: Suite, learners: Collection[Any]) -> dict[str, str]:
    """What a suite says of its learners' updates and settings, with the names of those that are not as it has them."""
    others = [label(one) for one in learners if one not in suite.learners]
    if not others:
        return {}
    named = ", ".join(others[:MOST_NAMED]) + (f" and {len(others) - MOST_NAMED} more" if others[MOST_NAMED:] else "")
    remarks = {name: getattr(suite, name) for name in ("unequal", "settings")}
    return {name: f"{text}; but not {named}, configured for this run" for name, text in remarks.items() if text}


def check_suitable(learners: Sequence[Any], systems: Collection[Any]) -> None:
    """Raise UserError where none of these learners, which are for rings of sites, suits any of the systems."""
    if not any(suits(learner, system) for learner in learners for system in systems):
        raise UserError(
            f"{label(learners[0])} is for systems whose channels are the sites of a ring, such as Lorenz96, but there "
            f"is only {', '.join(map(label, systems))}; of a recording of one say Recorded[path=FILE,ring=true]"
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


def _selected(members: tuple[Any, ...], matches: Iterable[Sequence[tuple[int, Any]]]) -> dict[Any, Any]:
    """All matches, each once, in the order of `members`, with the member that it was made from."""
    places = {label(member): place for place, member in enumerate(members)}
    chosen: dict[str, tuple[int, Any, Any]] = {}
    for place, member in chain.from_iterable(matches):
        base = members[place] if place < len(members) else None
        chosen.setdefault(label(member), (places.get(label(member), place), member, base))
    ordered = sorted(chosen.values(), key=lambda found: found[0])
    return {member: base for _, member, base in ordered}


def _matches(package: str, members: tuple[Any, ...], text: str) -> list[tuple[int, Any]]:
    """The components that one name with overrides stands for, and their places in the suite."""
    if "[" in text:
        for place, names in enumerate(zip(map(label, members), short_labels(members), strict=True)):
            if text in names:
                return [(place, members[place])]
    wanted = parse(text)
    same = [(place, member) for place, member in enumerate(members) if type(member).__name__ == wanted.name]
    if not same:
        return [(len(members), build(class_named(package, wanted.name, members), wanted.values))]
    if not wanted.values:
        return same

    # First the component that has these values, then the nearest to the defaults.
    def distance(pair: tuple[int, Any]) -> tuple[bool, int]:
        return apply(pair[1], wanted.values) != pair[1], len(changes(pair[1]))

    place, base = min(same, key=distance)
    return [(place, apply(base, wanted.values))]
