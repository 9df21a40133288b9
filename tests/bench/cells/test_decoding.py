"""What latent models decode: the interval that they were shown, the way between two states, and the figure of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.cells.cell import Cell
from bench.cells.drawings import forecast_arrays
from bench.cells.evidence import flatten, unflatten
from bench.cells.forecasting import PLACES, ForecastCell, Latent, decode
from learners import Budget, LatentODE, LatentRNN, Learner, Persistence, Training
from learners.latent.predictor import LatentPredictor
from metrics import Evidence, interpolation, nrmse
from results.figures.portraits import homotopy
from results.figures.style import save
from results.report.figure_data import FigureData
from results.report.portraits import between_latent_states
from results.store.run import Run
from systems import Dataset, RandomSpirals, Sampling, sample
from systems.observation import Irregular, Partial
from tests.support.synthetic import build

SAMPLING = Sampling(
    step=0.05, trajectories=24, samples=40, valid=4, test=6, context=12, horizon=1.0, climate=1, climate_horizon=1.0
)
BRIEF = Training(updates=60, batch=24, validations=3)
FORMS = [LatentODE(12, 8, training=BRIEF), LatentRNN(12, 8, training=BRIEF)]


@pytest.fixture(scope="module")
def spirals() -> Dataset:
    return sample(RandomSpirals(), replace(SAMPLING, error=0.05), 0)


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: type(form).__name__)
def model(request: pytest.FixtureRequest, spirals: Dataset) -> LatentPredictor:
    (predictor,) = request.param.fit_replicas(spirals, Budget(), [0])
    return predictor


def cell(learner: Learner, *metrics) -> Cell:
    return ForecastCell(RandomSpirals(), learner, replace(SAMPLING, error=0.05), metrics, Budget(), (0,), 0)


@pytest.mark.slow
def test_a_reconstruction_ends_where_a_forecast_begins(model: LatentPredictor, spirals: Dataset):
    past = spirals.test.between(0, 12)
    found = model.reconstruct(past)
    assert found.shape == (6, 12, 2)
    torch.testing.assert_close(found[:, -1], model.decode(model.encode(past)), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_a_reconstruction_follows_the_times_of_each_trajectory():
    data = sample(Irregular(RandomSpirals()), SAMPLING, 0)
    (predictor,) = FORMS[0].fit_replicas(data, Budget(), [0])
    assert isinstance(predictor, LatentPredictor)
    past = data.test.between(0, 12)
    alone = predictor.reconstruct(type(past)(past.times[2:3], past.states[2:3]))
    torch.testing.assert_close(predictor.reconstruct(past)[2:3], alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone[:, -1], predictor.decode(predictor.encode(past))[2:3], atol=1e-2, rtol=1e-2)


@pytest.mark.slow
def test_the_ends_of_a_homotopy_are_the_reconstructions_of_its_ends(model: LatentPredictor, spirals: Dataset):
    past = spirals.test.between(0, 12)
    paths, times = model.homotopy(past, 3, 4, 11)
    begin = int((times < 0).sum())
    assert begin == (4 if model.model.dynamics.reversible else 0)
    assert float(times[begin]) == 0.0
    torch.testing.assert_close(times.diff(), torch.full((begin + 11,), spirals.step, dtype=torch.float64))
    ends = model.reconstruct(past)[[0, -1]]
    torch.testing.assert_close(paths[[0, -1], begin:], ends, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_a_latent_flow_is_followed_backwards_along_its_own_way(spirals: Dataset):
    (predictor,) = FORMS[0].fit_replicas(spirals, Budget(), [0])
    flow = predictor.model.dynamics
    z = torch.randn(1, 3, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(flow.step(flow.step(z, -1.0), 1.0), z, atol=1e-3, rtol=1e-3)


def test_interpolation_is_the_error_against_the_truth_without_noise(model: LatentPredictor, spirals: Dataset):
    found = decode(model, spirals)
    clean = sample(RandomSpirals(), SAMPLING, 0).test.states[:, :12]
    np.testing.assert_array_equal(found.truth, clean.numpy())
    np.testing.assert_array_equal(found.given, spirals.test.states[:, :12])
    error = np.sqrt((((found.states - found.truth) / spirals.std.numpy()) ** 2).mean(axis=2)).mean(axis=1)
    assert error.max() < 1.5
    assert found.path.shape[0] == PLACES


def test_a_cell_measures_interpolation_where_it_is_asked_for(tmp_path: Path):
    (trial,) = cell(FORMS[0], interpolation, nrmse).run(tmp_path)
    values = {one.metric: one.value for one in trial.record.measurements}
    assert trial.record.status == "ok"
    assert 0 < (values["interpolation"] or 0) < 1.5
    assert values["nrmse"] is not None
    assert trial.arrays["path"].shape == (PLACES, 71, 2)
    assert trial.evidence is not None
    states = trial.evidence.decoded.states[:9], trial.evidence.forecast[:9]
    np.testing.assert_allclose(trial.arrays["panels"], np.concatenate(states, axis=1), rtol=1e-5, atol=1e-6)
    assert trial.arrays["panels_truth"].shape == trial.arrays["panels"].shape


def test_a_model_without_latent_states_has_nothing_to_interpolate(tmp_path: Path):
    (trial,) = cell(Persistence(), interpolation).run(tmp_path)
    assert trial.record.measurements[0].value is None
    assert "no interpolation: the model has no latent states" in trial.record.reason


@pytest.mark.slow
def test_what_was_decoded_is_kept_for_metrics_to_come(tmp_path: Path):
    (trial,) = cell(FORMS[0], nrmse).run(tmp_path)
    assert trial.evidence is not None
    again: Evidence = unflatten(Evidence, flatten(trial.evidence))
    assert interpolation.measure(again) == interpolation.measure(trial.evidence)
    np.testing.assert_array_equal(forecast_arrays(again)["path"], trial.arrays["path"])


def test_without_noise_the_truth_is_what_was_shown():
    data = sample(Partial(Irregular(RandomSpirals())), SAMPLING, 0)
    (predictor,) = LatentODE(6, 4, training=Training(updates=1)).fit_replicas(data, Budget(), [0])
    assert isinstance(predictor, Latent)
    np.testing.assert_array_equal(decode(predictor, data).truth, data.test.states[:, 6:12].numpy())


def turn(places: int, dim: int, before: int) -> tuple[np.ndarray, np.ndarray]:
    """Circles whose radius grows from place to place."""
    times = np.arange(-before, 41) * 0.05
    circle = np.stack([np.cos(2 * np.pi * times), np.sin(2 * np.pi * times)], axis=-1)[:, :dim]
    return np.arange(1, places + 1)[:, None, None] * circle, times


def test_the_figure_has_a_line_for_each_learner_and_a_panel_for_each_place():
    figure = homotopy({"LatentODE": turn(5, 2, 10), "LatentRNN": turn(5, 2, 0)}, "period")
    panels = [axes for axes in figure.axes if axes.collections and axes.lines]
    assert len(panels) == 10
    before, dot = panels[0].lines
    assert np.asarray(before.get_xdata()).shape == (11,)
    assert [float(np.asarray(side)[0]) for side in dot.get_data()] == [1.0, 0.0]
    assert len(panels[0].collections[0].get_paths()) == 40
    assert [axes.get_title() for axes in panels[:5]] == ["0", "0.25", "0.5", "0.75", "1"]
    assert panels[5].get_ylabel() == "LatentRNN"


def test_the_figure_of_one_channel_shows_it_over_time(tmp_path: Path):
    figure = homotopy({"LatentODE": turn(3, 1, 10)}, "period")
    first = figure.axes[0].lines[0].get_xdata()
    np.testing.assert_allclose(np.asarray(first), np.arange(-10, 1) * 0.05)
    assert all(path.stat().st_size > 0 for path in save(figure, tmp_path, "homotopy").values())


def test_a_run_shows_the_way_between_latent_states_where_it_has_any(tmp_path: Path):
    run = Run.load(build(tmp_path, systems=("VanDerPol", "Lorenz"), learners=("ResNet", "Persistence")))
    data = FigureData(run, run.frame())
    path, times = turn(3, 2, 4)
    data.cells["VanDerPol", "ResNet"] |= {"path": np.stack([path] * 3), "path_times": times}
    found = [picture for system in run.systems for picture in between_latent_states(data, system)]
    assert [(picture.name, picture.system) for picture in found] == [("homotopy-VanDerPol", "VanDerPol")]
    assert found[0].draw().axes[0].get_ylabel() == "ResNet"
