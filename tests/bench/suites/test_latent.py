"""The suite of random spirals: what its encoders read, what its models decode in training, and what is forecast."""

from dataclasses import replace

import pytest
import torch

from bench.cells.forecasting import ForecastCell
from bench.suite import load
from learners import Budget, LatentODE, LatentRNN
from learners.latent.predictor import LatentPredictor
from systems import Dataset, sample

POINTS = 200


def cells_of(kind: type) -> list[ForecastCell]:
    return [
        cell
        for cell in load("latent").cells("quick")
        if isinstance(cell, ForecastCell) and isinstance(cell.learner, kind)
    ]


def data_of(cell: ForecastCell) -> Dataset:
    return sample(cell.system, replace(cell.sampling, trajectories=70, valid=4, test=4), 0)


@pytest.mark.parametrize(("place", "count"), [(1, 100), (2, 50), (3, 30)])
def test_a_subsequence_spans_the_whole_spiral_and_half_as_long_again_is_forecast(place: int, count: int):
    test = data_of(cells_of(LatentODE)[place]).test
    steps = (test.times / test.times[:, -1:] * (POINTS * 3 / 2 - 1)).round()
    read, beyond = steps[:, :count], steps[:, count:]
    assert (read[:, 0] == 0).all()
    assert (read[:, -1] == POINTS - 1).all()
    assert (read.diff(dim=1) > 0).all()
    assert not torch.equal(read[0], read[1])
    assert torch.equal(beyond, torch.arange(POINTS, POINTS * 3 // 2, dtype=steps.dtype).expand_as(beyond))


def test_of_whole_spirals_the_first_quarter_is_read_and_the_rest_is_forecast():
    cell = cells_of(LatentODE)[0]
    assert (cell.sampling.context, cell.sampling.forecast_samples) == (POINTS // 4, POINTS * 3 // 4)
    assert not cell.sampling.irregular


@pytest.mark.parametrize("kind", [LatentODE, LatentRNN])
def test_encoders_read_all_of_a_subsequence_and_decode_it(kind: type[LatentODE]):
    cell = cells_of(kind)[-1]
    data = data_of(cell)
    training = replace(cell.learner.training, updates=2, validations=1)  # type: ignore[attr-defined]
    (predictor,) = replace(cell.learner, training=training).fit_replicas(data, Budget(), [0])  # type: ignore[call-arg]
    assert isinstance(predictor, LatentPredictor)
    past = data.test.between(0, 30)
    assert predictor.window == 30
    assert predictor.reconstruct(past).shape == past.states.shape
    for end in (0, -1):
        changed = past.states.clone()
        changed[:, end] += 1.0
        assert not torch.equal(predictor.encode(replace(past, states=changed)), predictor.encode(past))


def test_the_latent_models_see_the_same_windows_in_as_many_updates():
    ode, rnn = (cells_of(kind)[0].learner for kind in (LatentODE, LatentRNN))
    assert isinstance(ode, LatentODE)
    assert vars(ode) == vars(rnn)
