"""The promises that every learner keeps, held against MyLearner."""

import copy

import pytest
import torch
from my_learner import MyLearner

from learners import Budget, Predictor
from systems import Dataset, LinearSpiral, Sampling, sample

SEEDS = (0, 1)
SAMPLING = Sampling(
    step=0.05, trajectories=4, samples=40, valid=2, test=3, context=8, horizon=1.0, climate=1, climate_horizon=2.0
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, seed=0)


@pytest.fixture(scope="module")
def fitted(dataset: Dataset) -> list[Predictor]:
    return MyLearner().fit_replicas(dataset, Budget(effort=0.01), SEEDS)


def forecast(predictor: Predictor, dataset: Dataset) -> torch.Tensor:
    past = dataset.test.between(0, SAMPLING.context)
    return predictor.forecast(past, dataset.test.times[0, SAMPLING.context :]).states


def test_there_is_a_predictor_for_each_seed(fitted: list[Predictor]):
    assert len(fitted) == len(SEEDS)


def test_forecasts_are_finite_float64_states_at_the_times_asked_for(fitted: list[Predictor], dataset: Dataset):
    for predictor in fitted:
        states = forecast(predictor, dataset)
        assert states.shape == dataset.test.between(SAMPLING.context).states.shape
        assert states.dtype == torch.float64
        assert states.isfinite().all()


def test_the_same_seeds_give_the_same_forecasts(fitted: list[Predictor], dataset: Dataset):
    again = MyLearner().fit_replicas(dataset, Budget(effort=0.01), SEEDS)
    for first, second in zip(fitted, again, strict=True):
        assert torch.equal(forecast(first, dataset), forecast(second, dataset))


def test_the_data_are_left_as_they_were(dataset: Dataset):
    before = copy.deepcopy(dataset)
    for predictor in MyLearner().fit_replicas(dataset, Budget(effort=0.01), SEEDS):
        forecast(predictor, dataset)
    for part in ("train", "valid", "test", "climate"):
        assert torch.equal(getattr(before, part).states, getattr(dataset, part).states)


def test_forecasts_start_where_the_past_ends(fitted: list[Predictor], dataset: Dataset):
    truth = dataset.test.states[:, SAMPLING.context]
    for predictor in fitted:
        assert (forecast(predictor, dataset)[:, 0] - truth).norm() < truth.norm()
