"""The report: one page that opens offline, says what happened, and holds everything that it tells of."""

import base64
import csv
import json
import re
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from results import Status
from results.figures.style import FORMATS
from results.report import page as report
from results.report import pictures
from results.report.chaos import chaos_pictures, exponents, power_spectrum, return_map
from results.report.comparison import aggregated
from results.report.conclusions import Winner, conclusions, lost_to_references, overall_ranking, winners
from results.report.figure_data import FigureData, Picture
from results.report.page import write_report
from results.report.performance import accuracy_pictures
from results.report.portraits import describe_sampling, long_runs
from results.statistics.intervals import Interval
from results.statistics.ranking import rank_table
from results.store.errors import BrokenRunError
from results.store.run import Run
from results.tables.tables import leaderboard
from tests.support.synthetic import Size, build

TINY = Size(climate_samples=60, points=3, seeds=(0, 1))
ROOM = pd.DataFrame(np.tile(np.arange(3.0), (12, 1)), columns=["A", "B", "C"])  # losses of A, B, C on twelve systems
FAILED: dict[tuple[str, str], Status] = {("Lorenz", "WindowedRNN"): "crashed", ("VanDerPol", "WindowedRNN"): "diverged"}
TURNED = ("Lorenz", "ResNet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("runs"), size=TINY, status=FAILED)
    assert write_report(Run.load(folder)) == folder / "report.html"
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out, where a test is about something else."""
    monkeypatch.setattr(pictures, "PICTURES", ())
    monkeypatch.setattr(pictures, "PICTURES_OF_A_SYSTEM", ())


def reported(folder: Path) -> str:
    return write_report(Run.load(folder)).read_text(encoding="utf-8")


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_every_table_and_figure_is_written_in_every_format(folder: Path):
    tables = {path.name for path in (folder / "tables").iterdir()}
    assert tables == {
        f"{name}.{kind}" for name in ("leaderboard", "VanDerPol", "Lorenz", "outcomes") for kind in ("md", "tex", "csv")
    }
    names = (
        "prediction_times", "error_growth", "learning_curves_updates", "learning_curves_time", "pareto",
        "attractors-VanDerPol", "pq-VanDerPol", "attractors-Lorenz", "pq-Lorenz", "aggregates",
        "performance_profile", "power_spectra",
    )  # fmt: skip
    assert {path.name for path in (folder / "figures").iterdir()} == {
        f"{name}.{kind}" for name in names for kind in FORMATS
    }
    assert all(path.stat().st_size > 1000 for path in (folder / "figures").iterdir())


def test_the_page_needs_nothing_from_anywhere_else(page: str):
    assert all(source.startswith("data:image/") for source in re.findall(r'src="([^"]*)"', page))
    assert "http" not in re.sub(r"data:image/[^\"]*", "", page).replace("http-equiv", "")
    assert "<script src" not in page
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert page.count("<img") == 12


def test_rows_carry_their_numbers_and_names_for_sorting_and_filtering(page: str):
    row = page[page.index('<tr data-learner="ResNet">') :]
    row = row[: row.index("</tr>")]
    values = [float(value) for value in re.findall(r'data-value="([^"]*)"', row)]
    assert len(values) == row.count("<td") - 1  # all but the outcome
    assert 34_200.0 in values


def test_the_attractors_that_are_turned_are_those_of_the_run(folder: Path, page: str):
    (embedded,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
    told, run = json.loads(embedded), Run.load(folder)
    points = np.frombuffer(base64.b64decode(told["points"]), "<i2").reshape(-1, told["samples"], 3)
    assert told["names"] == ["ResNet", "Persistence", "TrueEquations"]  # the recurrent network left nothing
    arrays = run.store.arrays(next(cell.key for cell in run.finished if (cell.system, cell.learner) == TURNED))
    assert points.shape == (4, *arrays["climate_truth"].shape)


def test_every_link_of_the_page_leads_somewhere(folder: Path, page: str):
    links = re.findall(r'href="([^"]*)"', page)
    anchors = set(re.findall(r'id="([^"]*)"', page))
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert all((folder / link).is_file() for link in links if not link.startswith("#"))
    assert len(links) > 30


def test_failures_are_listed_with_reason_and_log(page: str):
    section = page[page.index('<section id="failures">') : page.index('<section id="protocol">')]
    assert section.count("crashed") >= 2
    assert "0, 1" in section
    assert "crashed while training: the loss left the &lt;finite&gt; numbers" in section
    assert "<pre>WindowedRNN on Lorenz\ncrashed</pre>" in section


def test_protocol_definitions_and_provenance_are_told(page: str):
    for told in ("horizon", "data seed", "time until the error exceeds 0.05", "numpy 2.1.0", "revision 0123abcd"):
        assert told in page
    assert "python -m bench run --suite chaos" in page


@pytest.mark.usefixtures("no_figures")
def test_the_protocol_tells_why_training_differs_and_by_what_models_are_chosen(tmp_path: Path):
    folder = build(tmp_path, ("Lorenz",), size=TINY)
    run = Run.load(folder)
    (chosen,) = [cell.key for cell in run.cells if cell.learner == "ResNet"]
    curve = run.store.curve(chosen).assign(valid_error=0.1)
    files = {path.name: path.read_bytes() for path in run.store.path(chosen).iterdir() if path.suffix != ".csv"}
    with run.store.stage(chosen, replace=True) as stage:
        for name, content in files.items():
            (stage / name).write_bytes(content)
        curve.to_csv(stage / "curve.csv", index=False)
    change(folder / "manifest.json", unequal="some updates cost more", settings="chosen by lot")
    page = reported(folder)
    section = page[page.index('<section id="protocol">') :]
    for told in (
        "<dt>updates</dt><dd>not the same for all learners: some updates cost more</dd>",
        "<dt>settings</dt><dd>chosen by lot</dd>",
        "<dt>best by validation forecasts</dt><dd>ResNet</dd>",
        "<dt>best by validation loss</dt><dd>WindowedRNN</dd>",
    ):
        assert told in section


@pytest.mark.slow
def test_reporting_again_gives_the_same_bytes_whoever_writes_them(folder: Path):
    kept = [
        *(folder / "tables").iterdir(),
        *(folder / "figures").iterdir(),
        folder / "report.html",
        folder / "results.csv",
    ]
    before = {path: path.read_bytes() for path in kept}
    write_report(Run.load(folder), jobs=2)
    assert {path: path.read_bytes() for path in kept} == before


@pytest.mark.usefixtures("no_figures")
def test_markup_in_names_reasons_and_logs_is_shown_and_not_obeyed(tmp_path: Path):
    label = "<script>alert(1)</script>"
    folder = build(
        tmp_path, systems=("VanDerPol",), learners=("ResNet",), size=TINY, status={("VanDerPol", "ResNet"): "timeout"}
    )
    run = Run.load(folder)
    (cell,) = run.cells
    texts = {path.name: path.read_text().replace("ResNet", label) for path in run.store.path(cell.key).glob("*.[jt]*")}
    (run.store.path(cell.key) / "checksums.json").unlink()
    with run.store.stage(cell.key) as stage:
        for name in ("cell.json", "records.json", "environment.json", "log.txt"):
            (stage / name).write_text(texts[name])
    manifest = (folder / "manifest.json").read_text().replace("ResNet", label)
    (folder / "manifest.json").write_text(manifest)
    page = reported(folder)
    assert label not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert f"{label} on VanDerPol" in run.store.log(cell.key)


@pytest.mark.usefixtures("no_figures")
def test_an_interrupted_run_is_reported_as_far_as_it_came(tmp_path: Path):
    folder = build(tmp_path, size=TINY)
    run = Run.load(folder)
    missing, damaged = run.cells[0], run.cells[5]
    run.store.path(missing.key).rename(tmp_path / "gone")
    (run.store.path(damaged.key) / "arrays.npz").write_bytes(b"")
    page = reported(folder)
    assert "6 of 8 cells finished" in page
    assert "This run is not complete: 2 of 8 cells" in page
    assert f"cells/{damaged.key}/arrays.npz does not match its checksum" in page
    with (folder / "results.csv").open() as file:
        assert {row["cell"] for row in csv.DictReader(file)} == {cell.key for cell in run.cells} - {
            missing.key,
            damaged.key,
        }


def test_a_run_without_a_finished_cell_is_reported_as_such(tmp_path: Path):
    folder = build(tmp_path, systems=("VanDerPol",), learners=("ResNet",), size=TINY)
    change(folder / "manifest.json", cells=[{"key": "none", "system": "VanDerPol", "learner": "ResNet"}])
    page = reported(folder)
    assert "0 of 1 cells finished" in page
    assert "No learner has a valid prediction time yet." in page


def test_a_run_of_reference_rows_alone_is_reported(tmp_path: Path):
    page = reported(
        build(tmp_path, systems=("VanDerPol",), learners=("Persistence",), size=Size(test=1, climate_samples=20))
    )
    assert "No learner has a valid prediction time yet." in page
    assert page.count("<img") == 4  # nothing was trained


@pytest.mark.usefixtures("no_figures")
def test_cells_of_different_machines_are_not_compared_in_time_without_a_warning(tmp_path: Path):
    folder = build(tmp_path, systems=("VanDerPol",), learners=("ResNet", "Persistence"), size=TINY)
    assert "different environments" not in reported(folder)
    run = Run.load(folder)
    key, environment = run.cells[0].key, run.store.environment(run.cells[0].key)
    files = {path.name: path.read_bytes() for path in run.store.path(key).iterdir() if path.name != "checksums.json"}
    (run.store.path(key) / "checksums.json").unlink()
    with run.store.stage(key) as stage:
        for name, content in files.items():
            (stage / name).write_bytes(content)
        change(stage / "environment.json", **(environment | {"processor": "Another CPU"}))
    page = reported(folder)
    assert "computed in 2 different environments" in page
    assert "Another CPU" in page


def test_a_folder_without_a_run_is_refused_and_left_alone(tmp_path: Path):
    with pytest.raises(BrokenRunError, match=r"manifest\.json is missing"):
        write_report(Run.load(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_seeds_that_failed_are_left_out_of_figures_but_predict_nothing_and_are_in_the_table(tmp_path: Path):
    folder = build(tmp_path, systems=("VanDerPol",), learners=("ResNet",), size=TINY)
    run = Run.load(folder)
    key = run.cells[0].key
    arrays, files = run.store.arrays(key), {path.name: path.read_bytes() for path in run.store.path(key).iterdir()}
    for name in ("vpt", "vpt_strict", "error_quartiles", "forecast", "climate", "pq"):
        arrays[name][0] = np.nan
    records = json.loads(files["records.json"])
    records[0] |= {"status": "crashed", "reason": "signal 11"}
    records[0]["measurements"] = [each | {"value": None} for each in records[0]["measurements"]]
    (run.store.path(key) / "checksums.json").unlink()
    with run.store.stage(key) as stage:
        for name in ("cell.json", "environment.json", "curve.csv", "log.txt"):
            (stage / name).write_bytes(files[name])
        (stage / "records.json").write_text(json.dumps(records))
        np.savez(stage / "arrays.npz", allow_pickle=False, **arrays)
    run = Run.load(folder)
    data = FigureData(run, run.frame())
    (row,) = data.prediction_times.to_dict("records")
    assert row["median"] == np.median([0.0, np.median(arrays["vpt"][1])])
    assert row["status"] == "ok"
    found = chain(accuracy_pictures(data), *(draw(data, "VanDerPol") for draw in pictures.PICTURES_OF_A_SYSTEM))
    names = {picture.name for picture in found}
    assert names >= {"error_growth", "attractors-VanDerPol", "pq-VanDerPol"}
    board = leaderboard(run.frame(), run.learners, run.references, run.timescales)
    assert board.outcomes == {"ResNet": "1 of 2 crashed"}


def intervals(**values: tuple[float, float, float]) -> pd.DataFrame:
    rows = [("Lorenz", learner, *value) for learner, value in values.items()]
    return pd.DataFrame(rows, columns=["system", "learner", "median", "low", "high"])


NAN = float("nan")
TIMES = intervals(
    A=(5.0, 4.0, 6.0), B=(5.5, 5.0, 6.0), C=(1.0, 0.5, 1.5), D=(NAN, NAN, NAN), Persistence=(2.0, 1.9, 2.1),
    TrueEquations=(12.0, 12.0, 12.0),
)  # fmt: skip


def test_the_winner_is_level_with_whom_its_interval_overlaps():
    (winner,) = winners(TIMES, ["A", "B", "C", "D"], {"Lorenz": "Lyapunov time"})
    assert winner == Winner(
        "Lorenz", "B", Interval(5.5, 5.0, 6.0), "Lyapunov times", ("A",), ("C",), ("TrueEquations",)
    )
    assert winner.time == "5.50 Lyapunov times [5.00, 6.00]"
    assert winner.standing == "B (level with A)"


def test_learners_that_lose_to_a_reference_row_are_named_but_not_for_losing_to_the_truth():
    lost = lost_to_references(TIMES, ["A", "B", "C", "D"], ["TrueEquations"])
    assert lost == {"Persistence": {"Lorenz": ["C"]}}
    best = winners(TIMES, ["A", "B", "C", "D"], {"Lorenz": "Lyapunov time"})
    assert conclusions(best, "B ranks first overall (mean rank 1.00)", lost) == [
        "B ranks first overall (mean rank 1.00); "
        "longest valid prediction time: B (level with A) on Lorenz (5.50 Lyapunov times [5.00, 6.00]).",
        "Persistence predicts longer than C on Lorenz.",
    ]


def test_when_no_learner_stands_out_none_is_named_the_best():
    times = intervals(A=(5.0, 4.0, 6.0), B=(5.5, 5.0, 6.0), Climatology=(7.0, 6.5, 7.5))
    best = winners(times, ["A", "B"], {"Lorenz": "Lyapunov time"})
    assert best[0].standing == "all learners alike"
    said = conclusions(best, "", lost_to_references(times, ["A", "B"], ["TrueEquations"]))
    assert said[0].startswith("Longest valid prediction time: all learners alike")
    assert said[1] == "Climatology predicts longer than every learned model on Lorenz."


def test_nothing_follows_from_one_seed():
    times = intervals(A=(2.0, NAN, NAN), B=(1.99, NAN, NAN), C=(1.0, 0.5, 1.5), Climatology=(2.01, NAN, NAN))
    (best,) = winners(times, ["A", "B", "C"], {"Lorenz": "Lyapunov time"})
    assert (best.standing, best.ahead) == ("A (not told from any other)", ())
    lost = lost_to_references(times, ["A", "B", "C"], [])
    assert conclusions([best], "", lost) == [
        "Longest valid prediction time: A (not told from any other) on Lorenz (2.00 Lyapunov times)."
    ]


def test_without_ranks_the_verdict_is_of_the_prediction_times_alone():
    best = winners(intervals(A=(5.0, 4.0, 6.0)), ["A"], {"Lorenz": "period"})
    said = conclusions(best, "", {})
    assert said[0] == "Longest valid prediction time: A on Lorenz (5.00 periods [4.00, 6.00])."


def test_without_losses_the_verdict_says_so():
    times = intervals(A=(5.0, 4.0, 6.0), Persistence=(0.1, 0.1, 0.1))
    best = winners(times, ["A"], {"Lorenz": "period"})
    assert best[0].time == "5.00 periods [4.00, 6.00]"
    assert conclusions(best, "", lost_to_references(times, ["A"], ["TrueEquations"]))[1].startswith(
        "No learned model loses"
    )


@pytest.mark.parametrize("rest", [{}, {"TrueEquations": (9.0, 8.0, 10.0)}, {"Persistence": (9.0, NAN, NAN)}])
def test_nothing_is_said_of_reference_rows_that_are_not_there_or_have_one_seed(
    rest: dict[str, tuple[float, float, float]],
):
    times = intervals(A=(5.0, 4.0, 6.0), **rest)
    best = winners(times, ["A"], {"Lorenz": "period"})
    assert conclusions(best, "", lost_to_references(times, ["A"], ["TrueEquations"])) == [
        "Longest valid prediction time: A on Lorenz (5.00 periods [4.00, 6.00])."
    ]


def test_who_is_first_overall_is_said_as_far_as_ranks_resolve_it():
    assert overall_ranking(rank_table(ROOM)) == "A ranks first overall (mean rank 1.00)"
    close = ROOM.assign(B=np.where(np.arange(12) % 2, -1.0, 1.0))
    assert overall_ranking(rank_table(close)).startswith(
        "A and B rank first overall, unresolved from each other (best mean rank"
    )
    assert overall_ranking(rank_table(ROOM.iloc[:2])) == (
        "no learner is resolved as the best over 2 systems (mean ranks 1.00 to 3.00, "
        "and only gaps of 2.34 are resolved)"
    )
    assert overall_ranking(rank_table(ROOM.iloc[:1])).startswith(
        "no learner is resolved as the best over 1 system (mean ranks"
    )
    assert overall_ranking(rank_table(ROOM.drop(columns=["B", "C"]))) == ""


def test_captions_say_how_many_cases_and_seeds_which_budget_and_which_device(folder: Path, page: str):
    said = "n = 6 test cases, 2 seeds, budget standard, on cpu Example CPU."
    assert Run.load(folder).conditions == said
    assert page.count(f"{said}\nFiles:") == page.count("<figcaption><b>") - page.count('class="orbit"')
    for kind in ("md", "tex"):
        assert all(said in path.read_text() for path in (folder / "tables").glob(f"*.{kind}"))


def test_only_the_formats_that_are_asked_for_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = build(tmp_path, ("Lorenz",), size=TINY)
    monkeypatch.setattr(pictures, "PICTURES", (lambda data: islice(accuracy_pictures(data), 1),))
    monkeypatch.setattr(pictures, "PICTURES_OF_A_SYSTEM", ())
    assert write_report(Run.load(folder), ("csv",), ("pdf",)) == folder
    assert not (folder / "report.html").exists()
    assert {path.suffix for path in (folder / "tables").iterdir()} == {".csv"}
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".pdf"}
    page = write_report(Run.load(folder), ("html",), ("pdf",)).read_text()
    assert "data:image/svg+xml" in page  # what the page shows is in it, and nowhere else
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".pdf"}


def break_down(*_: Any) -> Any:
    raise ValueError("out of ink")


def test_a_part_that_cannot_be_made_is_a_line_that_says_why_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    folder = build(tmp_path, ("Lorenz",), size=TINY)
    broken = Picture("broken", "Broken", "It breaks down.", break_down)
    drawn = (lambda data: islice(accuracy_pictures(data), 1), lambda data: iter([broken]), break_down)
    monkeypatch.setattr(pictures, "PICTURES", drawn)
    monkeypatch.setattr(pictures, "PICTURES_OF_A_SYSTEM", (break_down,))
    monkeypatch.setattr(report, "leaderboard", break_down)
    monkeypatch.setattr(report.conclusions, "winners", break_down)
    page = reported(folder)
    section = page[page.index("Left out of this report") : page.index('<section id="protocol">')]
    parts = ("figure broken", "break down", "break down of Lorenz", "the leaderboard", "its conclusions")
    for part in parts:
        assert f"<dt>{part}</dt><dd>ValueError: out of ink</dd>" in section
    assert sorted(caplog.messages) == sorted(f"the report is without {part} (ValueError: out of ink)" for part in parts)
    assert "data:image/svg+xml" in page  # of the figure that is sound
    assert (folder / "tables" / "Lorenz.md").exists()


def test_a_full_disk_is_no_fault_of_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fill_up(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures, "PICTURES", (fill_up,))
    with pytest.raises(OSError, match="No space left"):
        write_report(Run.load(build(tmp_path, ("Lorenz",), size=TINY)))


def test_what_a_wider_run_left_is_removed_and_the_users_own_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pictures, "PICTURES", ())
    monkeypatch.setattr(pictures, "PICTURES_OF_A_SYSTEM", (long_runs,))
    folder = build(tmp_path, size=TINY, status=FAILED)
    write_report(Run.load(folder))
    (folder / "tables" / "notes.txt").write_text("mine")
    assert write_report(Run.load(build(tmp_path, ("Lorenz",), size=TINY)), ("md", "html"), ("pdf",))
    left = {path.name for place in ("tables", "figures") for path in (folder / place).iterdir()}
    tables = {f"{name}.{kind}" for name in ("Lorenz", "leaderboard", "outcomes") for kind in ("md", "tex", "csv")}
    assert left == {"notes.txt", "attractors-Lorenz.pdf", "attractors-Lorenz.svg", *tables}


@pytest.mark.usefixtures("no_figures")
def test_what_was_filmed_is_on_the_page_of_its_system(tmp_path: Path):
    folder = build(tmp_path, size=TINY)
    (folder / "films").mkdir()
    for name in ("Lorenz-ResNet", "Lorenz-vector-fields"):
        Image.new("RGB", (2, 2)).save(folder / "films" / f"{name}.png")
    page = reported(folder)
    section = page[page.index('<section id="system-Lorenz">') :]
    assert "Learning, stage by stage" in section
    assert "Learned vector fields" in section
    assert 'href="films/Lorenz-ResNet.png"' in section


def test_interquartile_means_and_chances_leave_failed_trials_in(folder: Path):
    together = aggregated(Run.load(folder).frame(), ["WindowedRNN", "ResNet"])
    assert list(together["learner"]) == ["ResNet", "WindowedRNN"]
    assert together["mean"].iloc[0] == pytest.approx(1.0, abs=0.1)
    assert together["mean"].iloc[1] == 0.0  # every trial of it has failed
    assert together["chance"].iloc[1] == 0.0
    assert np.isnan(together["chance"].iloc[0])


def test_chaos_is_told_by_exponents_power_and_return_maps(tmp_path: Path):
    folder = build(tmp_path, ("Lorenz",), size=Size(step=0.02, climate_samples=4000, points=2, seeds=(0, 1)))
    run = Run.load(folder)
    data = FigureData(run, run.frame())
    for (_, learner), arrays in data.cells.items():
        if learner != "Persistence":
            spectrum = np.array([[1.0, 0.0, -14.6], [0.9, -0.1, -15.0], [1.1, 0.1, -14.0]])
            arrays["exponents"] = np.stack([spectrum, np.full((3, 3), np.nan)])
    assert [picture.name for picture in chain(chaos_pictures(data), return_map(data, "Lorenz"))] == [
        "lyapunov_spectra", "power_spectra", "return_map-Lorenz"
    ]  # fmt: skip
    found = exponents(data)
    assert set(found["learner"]) == {"", "WindowedRNN", "ResNet"}
    assert found.loc[found["learner"] == "", ["median", "low", "high"]].to_numpy()[2].tolist() == [-14.6, -15.0, -14.0]


def test_the_power_of_a_sine_is_at_its_frequency():
    times = 0.01 * np.arange(5000)
    frequency, power = power_spectrum(np.sin(2 * np.pi * 3 * times), 0.01)
    assert frequency[power.argmax()] == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ((5, 1104, 8.0, 0, 0), "Tested on one sample in 5, 1104 in all."),
        ((5, 552, 8.0, 1, 0), "552 in all: fewer than it needs, so that K may be too low."),
        ((1, 900, 40.0, 1, 1), "Tested on every sample, 900 in all: fewer than it needs and still oversampled"),
    ],
)
def test_the_caption_of_the_zero_one_test_says_what_it_saw(sampling: tuple[float, ...], said: str):
    assert said in describe_sampling(*sampling)
