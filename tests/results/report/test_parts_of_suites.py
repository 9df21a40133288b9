"""Every part of every suite makes a report: some of its systems and learners, however their trials ended."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest

import bench.suites
from bench.suite import Suite
from results.figures.style import drawing
from results.report import page as report
from results.report.figure_data import Picture
from results.report.page import write_report
from results.report.saved_figures import SavedFigure
from tests.support.cases import few
from tests.support.made_up import made_up

SUITES = sorted(module.name for module in iter_modules(bench.suites.__path__))
DRAWN = 0.03  # share of the figures that are drawn, which takes most of the time


def part_of(suite: Suite, rng: np.random.Generator) -> Suite:
    """Some of the systems and learners of a suite, with some seeds, and at times without some of its metrics."""
    chosen: dict[str, Any] = {"seeds": int(rng.integers(1, 5))}
    for name, most in (("systems", 3), ("learners", 5), ("metrics", len(suite.metrics))):
        members = getattr(suite, name)
        count = int(rng.integers(1, 1 + min(most, len(members))))
        count = len(members) if name == "metrics" and rng.random() < 0.7 else count
        places = np.sort(rng.choice(len(members), count, replace=False))
        chosen[name] = tuple(members[place] for place in places)
    return replace(suite, **chosen)


def report_on_a_part(name: str, seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch, drawn: float) -> str:
    """The page of a run of some part of a suite, which has left nothing out."""
    rng = np.random.default_rng([seed, SUITES.index(name)])
    suite = part_of(import_module(f"bench.suites.{name}").suite, rng)

    def save(picture: Picture, caption: str, *_: Any) -> SavedFigure:
        if rng.random() < drawn:
            with drawing():
                picture.draw().draw_without_rendering()
        return SavedFigure(picture.name, picture.title, caption, picture.system, "data:,", {})

    monkeypatch.setattr(report, "save_picture", save)
    run = made_up(suite, folder, rng)
    page = write_report(run).read_text(encoding="utf-8")
    assert "Left out of this report" not in page, page[page.index("Left out") :][:600]
    assert f"{len(run.systems)} system{'s' * (len(run.systems) != 1)}," in page
    return page


@pytest.mark.parametrize("seed", few(range(2), 0))
@pytest.mark.parametrize("name", few(SUITES, *map(SUITES.index, ("chaos", "images", "irregular", "mechanistic"))))
def test_a_part_of_a_suite_makes_a_report(name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    report_on_a_part(name, seed, tmp_path, monkeypatch, DRAWN)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
@pytest.mark.parametrize("name", SUITES)
def test_many_parts_of_a_suite_make_reports(name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    report_on_a_part(name, seed, tmp_path, monkeypatch, 1.0)
