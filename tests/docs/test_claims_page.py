"""The page of the claims: what it counts is what it lists, and a new run takes the place of its own suite alone."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

from results.claims.base import Effect, together
from results.claims.literature import CLAIMS
from results.store.run import Run
from tests.support.synthetic import Size, build

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "claims.md").read_text()
SCRIPT = runpy.run_path(str(ROOT / "docs" / "reports" / "claims.py"))
updated, without, section, ROW = (SCRIPT[name] for name in ("updated", "without", "section", "ROW"))
MADE = {"started": "2026-12-01", "cores": 2, "processor": "AMD EPYC", "torch": "2.15.0", "git": {"revision": "abc"}}


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


def test_a_section_keeps_its_heading_and_its_place_when_all_its_rows_are_measured_anew(tmp_path: Path):
    size = Size(step=0.1, horizon=2.0, test=2, climate_samples=50, points=2, seeds=(0, 1))
    run = Run.load(build(tmp_path, size=size, suite="chaos"))
    row = "| **Z1** one | data | supported | 1 |"
    page = updated(PAGE.replace("## chaos\n", "## chaos, by hand\n"), [])
    after = updated(page.replace("## chaos, by hand", f"## chaos, other\n\n{row}\n\n## chaos, by hand"), [run])
    assert re.findall("^## (chaos.*)$", after, flags=re.MULTILINE) == ["chaos, other", "chaos, by hand"]
    assert row in after


def test_a_new_section_takes_the_heading_of_no_other():
    run = SimpleNamespace(suite="spiral", manifest={"seeds": [0, 1]})
    taken = [[], ["spiral"], ["spiral", "spiral, 2 seeds"], ["spiral", "spiral, 2 seeds", "spiral, 2 seeds (2)"]]
    assert [SCRIPT["new_heading"](run, headings) for headings in taken] == [
        "spiral",
        "spiral, 2 seeds",
        "spiral, 2 seeds (2)",
        "spiral, 2 seeds (3)",
    ]


def test_a_row_of_several_parts_counts_once_by_the_verdict_of_all_and_shows_each():
    parts = [Effect(1, 0, 2, "a", "refuted", seeds=3), Effect(1, 0, 2, "b", "supported", seeds=3)]
    manifest = {"command": "run", "seeds": [0, 1, 2], "environment": MADE}
    run = SimpleNamespace(manifest=manifest, budget="standard")
    row = section("images", run, [(CLAIMS[0], together(parts))]).splitlines()[-1]
    assert [found["verdict"] for found in ROW.finditer(row)] == ["refuted"]
    assert row.endswith("| 1.00 a \\[0, 2.00] (refuted); 1.00 b \\[0, 2.00] (supported); 3 seeds |")


def test_claims_that_a_part_of_a_suite_decides_leave_the_section_of_the_whole():
    sections = {"a": "head\n| **X1** one | data | supported | 1 |\n| **X2 (ours)** two | data | refuted | 2 |"}
    assert without({"X1"}, sections) == {"a": "head\n| **X2 (ours)** two | data | refuted | 2 |"}
    assert without({"X2"}, sections) == sections
    assert without({"X1", "X2 (ours)"}, sections) == {}
