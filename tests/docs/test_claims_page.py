"""The page of the claims: what it counts is what it lists, and a new run takes the place of its own suite alone."""

import re
import runpy
from pathlib import Path

from results.store.run import Run
from tests.support.synthetic import Size, build

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "claims.md").read_text()
SCRIPT = runpy.run_path(str(ROOT / "docs" / "reports" / "claims.py"))
updated, without = SCRIPT["updated"], SCRIPT["without"]


def test_the_page_counts_the_rows_that_it_has():
    assert updated(PAGE, []) == PAGE
    shorter = PAGE.replace("| supported |", "| refuted |", 1)
    assert updated(shorter, []).splitlines()[2] != PAGE.splitlines()[2]


def test_a_run_takes_the_place_of_its_own_suite_alone(tmp_path: Path):
    size = Size(step=0.1, horizon=2.0, test=2, climate_samples=50, points=2, seeds=(0, 1))
    before, after = (
        dict(zip(*[iter(re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
        for text in (PAGE, updated(PAGE, [Run.load(build(tmp_path, size=size, suite="chaos"))]))
    )
    assert before.keys() == after.keys()
    assert {suite for suite, text in after.items() if text.strip() != before[suite].strip()} == {"chaos"}
    assert "2 seeds" in after["chaos"]


def test_claims_that_a_part_of_a_suite_decides_leave_the_section_of_the_whole():
    sections = {"a": "head\n| **X1** one | data | supported | 1 |\n| **X2 (ours)** two | data | refuted | 2 |"}
    assert without({"X1"}, sections) == {"a": "head\n| **X2 (ours)** two | data | refuted | 2 |"}
    assert without({"X2"}, sections) == sections
    assert without({"X1", "X2 (ours)"}, sections) == {}
