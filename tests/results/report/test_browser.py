"""The report in a real browser: it runs without an error, sorts, filters, turns attractors, and asks for nothing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from results.report.page import write_report
from results.store.run import Run
from tests.support.synthetic import Size, build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PLAY = """<script>
const board = document.querySelector("#leaderboard table.sortable");
const shown = () => [...board.querySelectorAll("tr[data-learner]")].filter((row) => !row.hidden)
  .map((row) => row.dataset.learner).join(" ");
const told = ["first: " + shown()];
const head = board.tHead.rows[0].cells[4].querySelector("button");
head.click(); told.push("ascending: " + shown());
head.click(); told.push("descending: " + shown());
const input = document.querySelector("#filter input");
input.value = "RESNET"; input.dispatchEvent(new Event("input")); told.push("filtered: " + shown());
const canvas = document.querySelector(".orbit canvas"), before = canvas.toDataURL();
canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
told.push("turned: " + (canvas.toDataURL() !== before));
const asked = performance.getEntriesByType("resource").filter((one) => !one.name.startsWith("data:"));
told.push("asked for: " + asked.length);
document.title = told.join("; ");
</script></body>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("runs"), size=Size(climate_samples=60, points=3, seeds=(0, 1)))
    write_report(Run.load(folder))
    return folder


def opened(page: Path, width: int = 1200) -> tuple[str, str]:
    """The document after its scripts have run, and what the browser says in its log."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},800"]
    done = subprocess.run(
        [str(CHROMIUM), *options, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=90
    )
    return done.stdout, done.stderr


def test_the_page_sorts_filters_and_turns_without_an_error_or_a_request(folder: Path):
    played = folder / "played.html"
    played.write_text((folder / "report.html").read_text(encoding="utf-8").replace("</body>", PLAY), encoding="utf-8")
    document, log = opened(played)
    titles = re.findall("<title>(.*?)</title>", document)
    assert titles == [
        "first: WindowedRNN ResNet Persistence TrueEquations; "
        "ascending: ResNet WindowedRNN TrueEquations Persistence; "
        "descending: WindowedRNN ResNet Persistence TrueEquations; "
        "filtered: ResNet; turned: true; asked for: 0"
    ]
    assert "CONSOLE" not in log


def test_the_page_fits_a_narrow_screen(folder: Path):
    narrow = folder / "narrow.html"
    measure = "<script>document.title = document.documentElement.scrollWidth;</script></body>"
    narrow.write_text((folder / "report.html").read_text(encoding="utf-8").replace("</body>", measure), "utf-8")
    document, _ = opened(narrow, width=500)
    (width,) = re.findall("<title>(.*?)</title>", document)
    assert int(width) <= 500


@pytest.mark.parametrize("window", [500, 1200])
def test_figures_of_all_widths_have_letters_of_one_size(folder: Path, window: int):
    measured = folder / "measured.html"
    widths = '["performance_profile", "aggregates"].map((id) => document.querySelector(`#${id} img`).clientWidth)'
    measure = f"<script>document.title = {widths};</script></body>"
    measured.write_text((folder / "report.html").read_text(encoding="utf-8").replace("</body>", measure), "utf-8")
    document, _ = opened(measured, window)
    (found,) = re.findall("<title>(.*?)</title>", document)
    narrow, wide = map(int, found.split(","))
    assert narrow / wide == pytest.approx(3.4 / 7.0, abs=0.01)
    assert wide >= 42 * 15
