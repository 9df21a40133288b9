"""Films of learning: watching changes nothing, stages are those of the training, pictures are drawn of arrays alone."""

import math
import subprocess
import sys
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from bench.cells import fields
from bench.cells.data import dataset
from bench.cells.key import planned
from bench.cells.run import fit_cell
from bench.errors import UserError
from bench.exports import film_cells, films
from bench.exports.film_cells import FilmCell, Snapshots, forecast_stages
from bench.request import Conditions
from bench.running import _exports
from learners import Budget, HybridODE, Learner, Mechanistic, NeuralODE, ResNet, Training, WindowedRNN
from learners.base import SolverError
from learners.equations.published_fit import PublishedFit, Recipe
from learners.training.callbacks import TrainingState, before_each_update
from results.figures import films as cinema
from results.figures.fields import distance, vector_fields
from results.figures.films import Film
from results.figures.style import drawing, styles
from results.report import page as report_room
from systems import LinearSpiral, Trajectories, sample
from tests.support.commands import exit_code
from tests.support.stubs import TINY, Instant, cell

ROOT = Path(__file__).parents[3]
BRIEF = Training(updates=20, batch=8, validations=2)
NETWORK = NeuralODE(width=8, depth=1, training=BRIEF)
FIT = Recipe((("damping", 0.3),), epochs=200, learning_rate=1e-2, substeps=1)
SOURCE = """
from dataclasses import replace

from bench.suite import Suite
from learners import Persistence, ResNet, Training
from metrics import nrmse
from systems import LinearSpiral
from tests.support.stubs import TINY, Instant

suite = Suite(
    name="toy", description="A toy.", systems=(LinearSpiral(),), metrics=(nrmse,),
    sampling=replace(TINY, climate_horizon=1.0), seeds=2,
    learners=(Instant(), ResNet(width=8, depth=1, training=Training(updates=3, batch=8, validations=1)), Persistence()),
)
"""


@pytest.fixture(scope="module")
def spiral(tmp_path_factory):
    return dataset(LinearSpiral(), TINY, 0, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def filmed(spiral):
    """A network that was watched while it was trained, its snapshots, and what is developed of it."""
    snapshots = Snapshots()
    with before_each_update(snapshots):
        (predictor,) = NETWORK.fit_replicas(spiral, Budget(), [0])
    return predictor, snapshots, forecast_stages(predictor, snapshots, spiral)


def film(dim: int = 2, ring: bool = False, stages: int = 3) -> Film:
    """A film of a circle that is forecast better and better."""
    times = np.linspace(0.1, 3, 30)
    truth = np.stack([np.cos(times + channel) for channel in range(dim)], -1)
    forecasts = np.stack([truth * (1 - 0.5**stage) for stage in range(stages)])
    return Film("Circle", "NeuralODE", "period", ring, np.arange(stages), times, truth, truth + 0.05, forecasts)


def planar() -> Film:
    across = np.linspace(-1, 1, 9)
    places = np.stack(np.meshgrid(across, across), -1).reshape(-1, 2)
    flow = np.stack([-places[:, 1], places[:, 0]], -1)
    return replace(film(), places=places, flow=flow, fields=np.stack([0 * flow, flow * np.nan, flow]))


def picture_of(film: Film, stage: int) -> Image.Image:
    """One stage as it is written to a film."""
    buffer = BytesIO()
    with drawing():
        cinema.frame(film, stage, "tab:blue").savefig(buffer, dpi=cinema.DOTS)
    return Image.open(buffer).convert("RGB")


def drawn(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=int)


def test_a_model_is_the_same_whether_it_is_watched_or_not(spiral, filmed):
    (alone,) = NETWORK.fit_replicas(spiral, Budget(), [0])
    watched_weights = filmed[0].weights()
    for name, values in alone.weights().items():
        assert torch.equal(values, watched_weights[name])
    assert [point.valid_loss for point in alone.log.curve] == [point.valid_loss for point in filmed[0].log.curve]


def test_a_film_has_the_untrained_network_and_ever_rarer_stages():
    snapshots, network = Snapshots(), torch.nn.Linear(2, 1)
    for updates in range(101):
        snapshots(TrainingState(updates, 100, network, ()))
    taken = [updates for updates, _ in snapshots.frames]
    assert taken[:5] == [0, 1, 2, 3, 5]
    assert len(taken) < 18
    assert all(later <= math.ceil(film_cells.RATIO * sooner) for sooner, later in pairwise(taken[1:]))


def test_a_film_keeps_what_training_changes_afterwards():
    snapshots, network = Snapshots(), torch.nn.Linear(2, 1)
    before = network.weight.detach().clone()
    snapshots(TrainingState(0, 100, network, ()))
    network.weight.data.zero_()
    assert torch.equal(snapshots.frames[0][1]["weight"], before)


def test_the_last_stage_is_the_model_that_was_kept(spiral, filmed):
    predictor, snapshots, arrays = filmed
    context, samples = TINY.context, TINY.samples
    past = spiral.train.between(0, context)
    expected = predictor.forecast(past, spiral.train.times[:, context:]).states[0]
    assert arrays["film_updates"].tolist() == [*(updates for updates, _ in snapshots.frames), 20]
    assert arrays["film_forecasts"].shape == (len(snapshots.frames) + 1, samples, 2)
    assert np.isnan(arrays["film_forecasts"][:, :context]).all()
    assert arrays["film_forecasts"][-1, context:] == pytest.approx(expected.numpy(), rel=1e-5)
    for states in ("film_truth", "film_data"):
        assert arrays[states] == pytest.approx(spiral.train.states[0].numpy(), rel=1e-5)
    assert not np.allclose(*arrays["film_forecasts"][[0, -1], context:])
    assert arrays["film_times"] == pytest.approx(TINY.step * np.arange(samples), rel=1e-5)


def test_fields_are_mean_velocities_over_a_step_around_the_data(spiral, filmed):
    predictor, _, arrays = filmed
    places, h = arrays["film_places"].astype(float), spiral.step
    cos, sin = math.cos(h), math.sin(h)
    after = math.exp(-0.1 * h) * places @ np.array([[cos, sin], [-sin, cos]])
    assert arrays["film_flow"] == pytest.approx((after - places) / h, rel=1e-3, abs=1e-4)
    assert arrays["film_fields"].shape == (len(arrays["film_updates"]), fields.GRID**2, 2)
    next_states, _ = predictor.advance(predictor.encode(_at(places)), h)
    learned = (predictor.decode(next_states).numpy() - places) / h
    assert arrays["film_fields"][-1] == pytest.approx(learned, rel=1e-3, abs=1e-3)
    states = spiral.train.states.flatten(0, 1).numpy()
    assert (places.min(0) < states.min(0)).all()
    assert (places.max(0) > states.max(0)).all()
    assert places[1, 1] == places[0, 1] < places[fields.GRID, 1]


def _at(places: np.ndarray):
    states = torch.from_numpy(places)[:, None]
    return Trajectories(torch.zeros(len(places), 1, dtype=torch.float64), states)


def test_models_whose_state_is_not_the_systems_have_no_field(spiral):
    snapshots = Snapshots()
    with before_each_update(snapshots):
        (predictor,) = WindowedRNN(hidden=4, training=BRIEF).fit_replicas(spiral, Budget(), [0])
    arrays = forecast_stages(predictor, snapshots, spiral)
    assert "film_forecasts" in arrays
    assert "film_fields" not in arrays


def test_a_stage_on_which_the_solver_gives_up_is_not_a_number(spiral):
    snapshots = Snapshots()
    with before_each_update(snapshots):
        (predictor,) = ResNet(width=4, depth=1, training=BRIEF).fit_replicas(spiral, Budget(), [0])
    forecast, calls = predictor.forecast, []

    def moody(past, times):
        calls.append(len(times))
        if len(calls) == 1:
            raise SolverError("the step became too small")
        return forecast(past, times)

    predictor.forecast = moody  # type: ignore[method-assign]
    arrays = forecast_stages(predictor, snapshots, spiral)
    assert np.isnan(arrays["film_forecasts"][0]).all()
    assert np.isfinite(arrays["film_forecasts"][1:, TINY.context :]).all()


def test_other_errors_of_a_forecast_are_raised(spiral):
    snapshots = Snapshots()
    with before_each_update(snapshots):
        (predictor,) = ResNet(width=4, depth=1, training=BRIEF).fit_replicas(spiral, Budget(), [0])

    def broken(past, times):
        raise KeyError("broken")

    predictor.forecast = broken  # type: ignore[method-assign]
    with pytest.raises(KeyError, match="broken"):
        forecast_stages(predictor, snapshots, spiral)


def test_a_learner_without_updates_is_skipped_with_the_reason(tmp_path):
    (tmp_path / "cell").mkdir()
    watched_cell = FilmCell(**vars(cell(Instant(), seeds=(0,), metrics=())))
    (trial,) = fit_cell(planned([watched_cell], tmp_path)[0], tmp_path, tmp_path / "cell")
    assert trial.record.status == "skipped"
    assert "not trained update by update" in trial.record.reason


NOISY = replace(TINY, samples=30, error=0.02, exact_start=True, context=1)


@pytest.mark.parametrize("learner", [Mechanistic(start=(("damping", 0.3),)), PublishedFit((FIT,), batch=1)], ids=repr)
def test_a_fit_of_parameters_is_filmed_from_its_start_to_its_end(learner: Learner):
    data = sample(LinearSpiral(), NOISY, 0)
    snapshots = Snapshots()
    with before_each_update(snapshots):
        (predictor,) = learner.fit_replicas(data, Budget(), [0])
    fitted = predictor.weights()["damping"].clone()
    assert snapshots.frames[0][0] == 0
    assert snapshots.frames[0][1]["damping"].item() == pytest.approx(0.3)
    arrays = forecast_stages(predictor, snapshots, data)
    assert (np.diff(arrays["film_updates"]) > 0).all()
    errors = np.abs(arrays["film_forecasts"] - arrays["film_truth"])[:, 1:].max(axis=(1, 2))
    assert errors[-1] < 0.1 * errors[0]
    start = replace(LinearSpiral(), damping=0.3).solve(data.train.states[0, :1].numpy(), data.train.times[:1].numpy())
    assert arrays["film_forecasts"][0, 1:] == pytest.approx(start[0, 1:], abs=1e-3)
    assert arrays["film_data"] == pytest.approx(data.train.states[0].numpy(), rel=1e-5)
    assert torch.equal(predictor.weights()["damping"], fitted)
    assert arrays["film_names"].tolist() == ["damping"]
    assert arrays["film_true"] == pytest.approx([LinearSpiral().damping])
    assert arrays["film_fitted"][:, 0] == pytest.approx([0.3, *arrays["film_fitted"][1:-1, 0], fitted.item()])
    assert len(arrays["film_fitted"]) == len(arrays["film_updates"])


def test_the_parameters_of_a_hybrid_are_told_as_what_they_stand_for():
    data, snapshots = sample(LinearSpiral(), NOISY, 0), Snapshots()
    learner = HybridODE(start=(("damping", 0.3),), width=4, training=Training(updates=40, learning_rate=1e-2))
    with before_each_update(snapshots):
        (predictor,) = learner.fit_replicas(data, Budget(), [0])
    arrays = forecast_stages(predictor, snapshots, data)
    assert predictor.calibration is not None
    (estimate,) = predictor.calibration.estimates
    assert arrays["film_names"].tolist() == ["damping"]
    assert arrays["film_true"] == pytest.approx([LinearSpiral().damping])
    assert arrays["film_fitted"][[0, -1], 0] == pytest.approx([0.3, estimate.fitted], rel=1e-5)
    assert len(np.unique(arrays["film_fitted"])) > 2


def test_fitted_parameters_stand_beside_the_true_ones_in_each_stage():
    fits = replace(film(), names=np.array(["mu"]), true=np.array([2.0]), fitted=np.array([[0.3], [1.5], [1.98]]))
    with drawing():
        figures = [cinema.frame(fits, stage, "tab:blue") for stage in range(3)]
        strip = cinema.strip(fits, "tab:blue")
    told = ["mu 0.300 (true 2.00)", "mu 1.50 (true 2.00)", "mu 1.98 (true 2.00)"]
    assert [figure.get_suptitle().splitlines()[1] for figure in figures] == told
    assert [axes.get_xlabel() for axes in strip.axes] == told
    assert film().parameters(0) == []


@pytest.mark.parametrize("shown", [film(), film(1), film(3), film(8, ring=True), planar()], ids=range(5))
def test_every_stage_is_a_picture_of_the_same_size_and_differs_from_the_last(shown):
    pictures = [picture_of(shown, stage) for stage in range(len(shown))]
    assert len({picture.size for picture in pictures}) == 1
    assert all(length % 2 == 0 for length in pictures[0].size)
    for sooner, later in pairwise(pictures):
        assert np.abs(drawn(sooner) - drawn(later)).max() > 100


def test_forecasts_that_diverge_do_not_stretch_the_picture():
    shown = film()
    wild = replace(shown, forecasts=np.where(np.arange(30)[:, None] > 3, 1e30, shown.forecasts))
    axes = cinema.frame(wild, 0, "tab:blue").axes
    assert max(abs(limit) for one in axes for limit in (*one.get_ylim(), *one.get_xlim())) < 4


@pytest.mark.parametrize("shown", [film(), film(1), planar()], ids=range(3))
def test_the_data_are_dots_in_every_panel(shown):
    for axes in (*cinema.frame(shown, 0, "tab:blue").axes, *cinema.strip(shown, "tab:blue").axes):
        (dots,) = (line for line in axes.lines if line.get_marker() == ".")
        seen = [np.asarray(values) for values in dots.get_data()]
        assert any(np.allclose(seen, [shown.data[:, 0], up]) for up in shown.data.T) or np.allclose(
            seen, [shown.times, shown.data[:, 0]]
        )


def test_a_film_is_a_gif_that_ends_on_its_last_stage(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    *stills, path = cinema.write(film(), tmp_path / "films", "circle", "tab:blue")
    with Image.open(path) as gif:
        shown = [(one.info["duration"], drawn(one.convert("RGB"))) for one in ImageSequence.Iterator(gif)]
    assert [duration for duration, _ in shown] == [250, 250, 2500]
    expected = drawn(picture_of(film(), 2))
    assert np.abs(shown[-1][1] - expected).mean() < 3
    assert path == tmp_path / "films" / "circle.gif"
    assert [still.name for still in stills] == ["circle.pdf", "circle.svg", "circle.png"]


@pytest.mark.parametrize("shown", [film(), film(1), film(8, ring=True), planar()], ids=range(4))
def test_a_strip_shows_a_few_stages_from_the_first_to_the_one_that_was_kept(shown):
    titles = [axes.get_title() for axes in cinema.strip(shown, "tab:blue").axes]
    assert len(titles) == min(cinema.STAGES, len(shown))
    assert titles[0] == f"{shown.updates[0]:,.0f} updates"
    assert titles[-1] == "kept"


@pytest.mark.slow
def test_a_video_is_made_where_ffmpeg_is_installed(tmp_path, monkeypatch):
    stand_in = tmp_path / "ffmpeg"
    stand_in.write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    *_, gif, video = cinema.write(film(), tmp_path, "circle", "tab:blue")
    assert (gif.name, video.name) == ("circle.gif", "circle.mp4")
    width, height = picture_of(film(), 0).size
    assert len(video.read_bytes()) == 4 * width * height * (3 + cinema.LASTING - 1)
    stand_in.write_text("#!/bin/sh\ncat > /dev/null\necho no codec >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match=r"ffmpeg cannot write .*circle.mp4: no codec"):
        cinema.write(film(), tmp_path, "circle", "tab:blue")


@pytest.mark.slow
def test_drawing_needs_neither_torch_nor_a_display(tmp_path):
    code = (
        "import sys\nimport numpy as np\nfrom pathlib import Path\nfrom results.figures.films import Film, write\n"
        "line = np.linspace(0, 1, 5)\ncolumn = line[:, None]\n"
        "film = Film('A', 'B', 'period', False, np.arange(2), line, column, column, np.stack([column, column]))\n"
        f"write(film, Path({str(tmp_path)!r}), 'film', 'red')\nassert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env={}, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "film.gif").exists()


def test_the_distance_of_fields_is_relative_to_the_flow():
    shown = planar()
    assert shown.flow is not None
    assert distance(shown.flow, shown.flow) == 0
    assert distance(shown.flow, -shown.flow) == pytest.approx(2)
    assert distance(shown.flow, 1.1 * shown.flow) == pytest.approx(0.1)


def test_the_figure_of_fields_has_a_panel_a_learner_that_says_how_far_off_it_is():
    shown = planar()
    assert shown.flow is not None
    assert shown.places is not None
    learned = {"A": shown.flow, "B": 1.1 * shown.flow, "C": shown.flow * np.nan, "D": 0 * shown.flow, "E": -shown.flow}
    figure = vector_fields(shown.places, shown.flow, learned, styles(list(learned), []), shown.truth)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == list(learned)
    said = [axes.texts[0].get_text() for axes in panels]
    assert said == ["off by 0 %", "off by 10 %", "not finite", "off by 1e+02 %", "off by 2e+02 %"]
    lines = [len(axes.collections) for axes in panels]
    assert lines == [2, 2, 1, 1, 2]


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str


@pytest.mark.slow
def test_the_option_films_beside_the_report_and_leaves_the_cells_as_they_were(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(report_room, "write_report", lambda run, **_: run.folder / "report.html")
    (tmp_path / "toy_suite.py").write_text(SOURCE)
    found = [run(tmp_path, capsys), run(tmp_path, capsys, "--film")]
    sys.modules.pop("toy_suite", None)
    assert [one.code for one in found] == [0, 0]
    cells = [sorted(path.name for path in (tmp_path / "runs" / "cells").iterdir())]
    assert len(cells[0]) == 3
    assert "3 cells: 0 done, 3 cached" in found[1].out
    assert "no film of Instant on LinearSpiral: skipped: this learner is not trained update by update" in found[1].out
    names = {path.name for path in (tmp_path / "runs" / "toy" / "films").iterdir()}
    (gif,) = (name for name in names if name.endswith(".gif"))
    assert gif.startswith("LinearSpiral-ResNet")
    assert {f"LinearSpiral-vector-fields.{kind}" for kind in ("pdf", "svg", "png")} <= names
    assert f"vector fields of LinearSpiral: {tmp_path}/runs/toy/films/LinearSpiral-vector-fields.png" in found[1].out
    with Image.open(tmp_path / "runs" / "toy" / "films" / gif) as shown:
        assert len(list(ImageSequence.Iterator(shown))) == 4


def run(folder, capsys, *arguments: str) -> Ended:
    place = ["--suite", str(folder / "toy_suite.py"), "--out", str(folder / "runs")]
    code = exit_code(["run", *place, "--jobs", "1", *arguments])
    return Ended(code, capsys.readouterr().out)


def test_a_film_that_cannot_be_written_is_told_in_one_line(tmp_path, monkeypatch):
    def fail(plan, conditions):
        raise RuntimeError("ffmpeg cannot write circle.mp4: no codec")

    monkeypatch.setattr(films, "make", fail)
    plan: Any = None
    with pytest.raises(UserError, match=r"no codec; the report is written, and the same command resumes"):
        list(_exports(plan, Conditions(), None, True))
