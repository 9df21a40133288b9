"""How a report is made when something is asked of it: the width of figures, no reference rows, a browser."""

import webbrowser
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from results.figures.style import PAGE, Style, drawing, legend_below, looking, save
from results.report import page
from results.report.figure_data import FigureData
from results.store.run import Run
from tests.support.commands import exit_code
from tests.support.synthetic import Size, build

SIZE = Size(step=0.1, horizon=2.0, test=2, climate_samples=200, points=2, seeds=(0,))
NAMES = ["ResNet", "NeuralODE", "WindowedRNN", "PolynomialPropagator", "Persistence", "Analogue"]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    build(folder, systems=("Lorenz",), learners=("ResNet", "Persistence"), size=SIZE, suite="small")
    return folder


def with_legend() -> Figure:
    with drawing():
        figure = Figure(figsize=(PAGE, 2.5), layout="constrained")
        axes = figure.subplots()
        lines = [axes.plot([0, 1], label=name)[0] for name in NAMES]
        legend_below(figure, lines)
    return figure


@pytest.mark.parametrize(("style", "width"), [("", 3.5), ("", 9.0), ("talk", 3.5)])
def test_a_figure_is_as_wide_as_is_asked_for(style: str, width: float, tmp_path: Path):
    figure = with_legend()
    with looking(style, width):
        path = save(figure, tmp_path, "figure", ("png",))["png"]
    resolution = 150 if style == "talk" else 200
    with Image.open(path) as picture:
        assert picture.size[0] == int(width * resolution)


def test_the_legend_of_a_narrow_figure_lies_within_it(tmp_path: Path):
    figure = with_legend()
    with looking(width=3.5):
        save(figure, tmp_path, "figure", ("png",))
    (legend,) = figure.legends
    extent = legend.get_window_extent()
    assert 0 <= extent.x0 < extent.x1 <= figure.bbox.width
    assert [text.get_text() for text in legend.get_texts()] == NAMES
    assert all(4.9 <= float(text.get_fontsize()) < 7 for text in legend.get_texts())


@pytest.mark.parametrize("width", ["89", "89 km", "39mm", "1e3mm", "-3in", "40in"])
def test_a_width_that_no_figure_has_is_told(width: str, out: Path, capsys: pytest.CaptureFixture[str]):
    assert exit_code(["report", "small", "--out", str(out), "--width", width]) == 2
    printed = capsys.readouterr().err
    assert printed == (
        f"error: --width is a length from 40mm to 1000mm, such as 89mm, 3.5in or 252pt, but is {width!r}\n"
    )


def test_the_widths_of_the_command_are_lengths(out: Path, monkeypatch: pytest.MonkeyPatch):
    asked: dict[str, Style] = {}
    monkeypatch.setattr(page, "write_report", lambda run, **given: asked.update(given) or run.folder)
    assert exit_code(["report", "small", "--out", str(out), "--width", "252pt", "--no-references"]) == 0
    assert asked["references"] is False


def test_figures_leave_the_references_out_and_keep_the_truth(out: Path):
    run = Run.load(out / "small")
    data = FigureData(run, run.frame())
    alone = data.without_references()
    assert (data.run.learners, alone.run.learners) == (["ResNet", "Persistence"], ["ResNet"])
    assert set(alone.paths("Lorenz", "climate")) == {"ResNet"}
    assert set(alone.frame["learner"]) == {"ResNet"}
    assert alone.truth("Lorenz").keys() == data.truth("Lorenz").keys()
    assert list(alone.prediction_times["learner"]) == ["ResNet"]


@pytest.mark.parametrize("found", [True, False])
def test_the_report_is_shown_in_a_browser(found: bool, out: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    shown: list[str] = []
    monkeypatch.setattr(page, "write_report", lambda run, **_: run.folder / "report.html")
    monkeypatch.setattr(webbrowser, "open", lambda address: shown.append(address) or found)
    assert exit_code(["report", "small", "--out", str(out), "--open"]) == 0
    assert shown == [(out / "small" / "report.html").resolve().as_uri()]
    assert ("no browser was found" in capsys.readouterr().err) is not found
