"""The gallery: every system and every figure has its picture, and what is said of a system is what it has."""

import re
from pathlib import Path

import pytest

from bench.catalogue.plugins import import_file
from results.report.samples import FIGURES
from systems import HenonMap, LinearSpiral, Map
from systems.configuration import label
from systems.published import known_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "gallery.md").read_text()
FOLDER = DOCS / "images" / "gallery"
gallery = import_file(DOCS / "reports" / "gallery.py")


def test_every_system_is_shown_with_what_is_known_of_it():
    for system in gallery.shown_systems():
        (found,) = re.findall(rf"<br>`{re.escape(label(system))}`<br>([^|]*)\|", PAGE)
        assert found.strip() == gallery.known(system)
        attractor = known_of(system).attractor
        if attractor:
            value = re.match(r"λ = ([\d.]+)", found)
            assert value
            assert float(value[1]) == pytest.approx(attractor.leading[0], rel=1e-3)


def test_every_figure_is_shown():
    assert all(f"(images/gallery/figure-{name}.png)" in PAGE for name in FIGURES)


def test_the_pictures_are_those_of_the_page_and_small():
    shown = set(re.findall(r"\(images/gallery/([^)]+)\)", PAGE))
    assert {path.name for path in FOLDER.iterdir()} == shown
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3e6


@pytest.mark.parametrize("system", [LinearSpiral(), HenonMap()], ids=label)
def test_a_portrait_is_drawn_within_its_panel(system):
    (axes,) = gallery.portrait(system).axes
    assert len(axes.lines) == (1 if isinstance(system, Map) else 8)
    for line in axes.lines:
        assert axes.dataLim.containsx(line.get_xdata()[0])
        assert len(line.get_xdata()) in (400, 3000)
