"""The leaderboard to browse: every number leads to the page of its cell, without a network, in a real browser too."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from markupsafe import escape

from results.report.site import write_site
from results.store.record import Status
from results.store.run import Run
from tests.support.synthetic import Size, build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SMALL = Size(climate_samples=60, points=3, seeds=(0, 1))

PLAY = """<script>
const shown = () => [...document.querySelectorAll("section.metric")].filter((one) => !one.hidden);
const count = (row) => [...row.cells].slice(0, -1).filter((cell) => !cell.hidden).length;
const numbers = () => shown().map((one) => one.id + " " + [...one.querySelectorAll("tbody tr")].map(count).join(""));
const told = ["first: " + numbers()];
const choose = (id, value) => {
  document.getElementById(id).value = value;
  document.getElementById(id).dispatchEvent(new Event("change"));
};
choose("metric", "nrmse"); told.push("metric: " + numbers());
choose("system", "Lorenz"); told.push("system: " + numbers());
const head = shown()[0].querySelectorAll("thead th")[2].querySelector("button"); head.click();
told.push("sorted: " + shown()[0].querySelector("tbody tr").dataset.learner);
told.push("width: " + (document.documentElement.scrollWidth <= innerWidth));
const asked = performance.getEntriesByType("resource").filter((one) => !one.name.startsWith("data:"));
told.push("asked for: " + asked.length);
document.title = told.join("; ");
</script></body>"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    chaos, other = tmp_path_factory.mktemp("chaos"), tmp_path_factory.mktemp("other")
    failed: dict[tuple[str, str], Status] = {("Lorenz", "WindowedRNN"): "crashed"}
    build(chaos, size=SMALL)
    build(other, systems=("Lorenz",), size=SMALL, status=failed, suite="other")
    return [Run.load(chaos / "chaos"), Run.load(other / "other")]


@pytest.fixture(scope="module")
def site(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(
        runs, tmp_path_factory.mktemp("site"), lambda run, cell: f"again {run.suite} {cell.learner} & {cell.system}"
    )


def test_every_number_leads_to_the_page_of_its_cell(site: Path, runs: list[Run]):
    page = (site.parent / "chaos" / "index.html").read_text()
    section = page.split('<section class="metric" id="nrmse"')[1].split("</section>")[0]
    for cell in runs[0].finished:
        assert section.count(f'href="{cell.key}.html"') == 1
        theirs = (site.parent / "chaos" / f"{cell.key}.html").read_text()
        assert f"<pre>again chaos {cell.learner} &amp; {cell.system}</pre>" in theirs
        assert f"<h1>{cell.learner} on {cell.system}</h1>" in theirs
    links = [path for page in site.parent.rglob("*.html") for path in _links(page)]
    assert links
    assert all(path.is_file() for path in links)


def _links(page: Path) -> list[Path]:
    return [page.parent / href for href in re.findall(r'href="([^"#]+)', page.read_text())]


def test_a_cell_has_the_numbers_of_all_seeds(site: Path, runs: list[Run]):
    cell = next(one for one in runs[0].finished if (one.system, one.learner) == ("Lorenz", "ResNet"))
    text = (site.parent / "chaos" / f"{cell.key}.html").read_text()
    row = re.search(r"NRMSE</th>.*?</tr>", text)
    assert row
    printed = [float(number) for number in re.findall(r"<td>([\d.]+)</td>", row[0])]
    measured = [
        one.value for record in runs[0].records[cell.key] for one in record.measurements if one.metric == "nrmse"
    ]
    assert printed == pytest.approx(measured, rel=6e-3)


def test_a_failed_cell_says_how_and_of_which_seeds(site: Path, runs: list[Run]):
    page = (site.parent / "other" / "index.html").read_text()
    assert "crashed" in page
    (cell,) = (one for one in runs[1].finished if one.learner == "WindowedRNN")
    (reason,) = {record.reason for record in runs[1].records[cell.key]}
    assert reason
    assert f"Seeds 0 and 1: {escape(reason)}" in (site.parent / "other" / f"{cell.key}.html").read_text()


def test_the_first_page_has_every_suite_and_system_with_who_leads(site: Path):
    rows = re.findall(r"<tr data-learner.*?</tr>", site.read_text())
    assert [re.findall(r">(\w+)</(?:a|td)>", row)[:2] for row in rows] == [
        ["chaos", "VanDerPol"],
        ["chaos", "Lorenz"],
        ["other", "Lorenz"],
    ]
    assert all("TrueEquations, " in row for row in rows)


def test_pages_of_cells_that_are_no_more_are_removed(runs: list[Run], tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "old.html").touch()
    (tmp_path / "mine.html").touch()
    write_site(runs[1:], tmp_path, lambda *_: "")
    assert not (tmp_path / "other" / "old.html").exists()
    assert (tmp_path / "mine.html").exists()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_page_is_browsed_without_an_error_or_a_request(site: Path):
    played = site.parent / "chaos" / "played.html"
    played.write_text((site.parent / "chaos" / "index.html").read_text().replace("</body>", PLAY))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=500,800"]
    done = subprocess.run(
        [str(CHROMIUM), *options, "--dump-dom", played.as_uri()], capture_output=True, text=True, timeout=90
    )
    played.unlink()
    assert re.findall("<title>(.*?)</title>", done.stdout) == [
        "first: vpt 3333; metric: nrmse 3333; system: nrmse 2222; sorted: ResNet; width: true; asked for: 0"
    ]
    assert "CONSOLE" not in done.stderr
