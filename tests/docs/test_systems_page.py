"""The page of the systems: its numbers are those that the systems have."""

import re
from pathlib import Path

import pytest

import systems
from bench.catalogue.settings import build, parse
from systems.flows.chaotic import Chaotic
from systems.flows.sprott import CASES
from systems.published import known_of

PAGE = (Path(__file__).parents[2] / "docs" / "systems.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def system_of(name: str) -> systems.Simulated:
    wanted = parse(name.strip("`"))
    return build(getattr(systems, wanted.name), wanted.values)


def test_every_exponent_is_that_of_the_lyapunov_time():
    for name, used, *_ in ROWS:
        assert 1 / system_of(name).timescale == pytest.approx(float(used), rel=1e-4), name


def test_what_is_published_is_what_certificates_expect():
    for name, _, *cells in ROWS:
        *_, published, source = cells[:3] if len(cells) > 2 else cells
        known = known_of(system_of(name)).attractor
        if known and re.fullmatch(r"[\d.]+", published):
            assert (known.leading[0], known.leading[2]) == (float(published), source), name


def test_every_chaotic_flow_and_map_is_on_the_page():
    kinds = [getattr(systems, name) for name in systems.__all__]
    classes = [kind.__name__ for kind in kinds if isinstance(kind, type) and issubclass(kind, Chaotic | systems.Map)]
    named = {name.strip("`") for name, *_ in ROWS}
    assert {*classes, *(f"Sprott[case={case}]" for case in CASES)} - {"Map"} <= named
