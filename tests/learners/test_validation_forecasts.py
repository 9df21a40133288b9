"""The one rule by which models are chosen: free-running forecasts of the validation data."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from learners import (
    NVAR,
    Budget,
    Learner,
    NeuralODE,
    Persistence,
    PolynomialPropagator,
    Predictor,
    Reservoir,
    ResNet,
    RKNet,
    SolverError,
    Training,
    WindowedRNN,
)
from learners.validation_forecasts import HIGHEST, ValidationForecasts
from systems import Dataset, Lorenz, Sampling, Trajectories, sample
from tests.support.cases import few

SAMPLING = Sampling(step=0.02, trajectories=4, samples=200, valid=3, test=2, context=8, horizon=1.0, climate=1)
SHORT = Training(updates=24, batch=32, validations=6, learning_rate=0.02)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


def test_validation_trajectories_without_the_past_that_a_model_needs_are_told_by_name(data: Dataset):
    short = replace(data, valid=data.valid.between(0, 2))
    with pytest.raises(ValueError, match=r"^validation trajectories leave 1 samples before a .* from 2: give"):
        NVAR().fit_replicas(short, Budget(), [0])


def geometric_mean_error(predictor: Predictor, data: Dataset) -> float:
    """From the definition: 2 timescales are 100 samples, every 25th sample with a context before it is a start."""
    logs = []
    for states, times in zip(data.valid.states, data.valid.times, strict=True):
        for first in range(0, 200 - 8 - 100 + 1, 25):
            past = Trajectories(times[None, first : first + 8], states[None, first : first + 8])
            found = predictor.forecast(past, times[first + 8 : first + 108]).states[0]
            errors = ((found - states[first + 8 : first + 108]) / data.std).square().mean(dim=1).sqrt()
            logs += errors.clamp(1e-12, 1e2).log().tolist()
    return float(torch.tensor(logs, dtype=torch.float64).mean().exp())


@pytest.mark.parametrize(
    "learner",
    few(
        [
            ResNet(width=8, training=SHORT),
            PolynomialPropagator(degree=2),
            NVAR(),
            NeuralODE(width=8, training=SHORT),
            RKNet(width=8, training=SHORT),
            WindowedRNN(hidden=8, training=SHORT),
            Reservoir(size=20),
        ],
        *range(3),
    ),
    ids=lambda learner: type(learner).__name__,
)
def test_every_learner_keeps_the_model_that_forecasts_best(learner: Learner, data: Dataset):
    predictors = learner.fit_replicas(data, Budget(), [0, 1])
    errors = ValidationForecasts(data).errors(predictors).tolist()
    for predictor, error in zip(predictors, errors, strict=True):
        assert predictor.log.selection == "validation forecasts"
        assert error == pytest.approx(geometric_mean_error(predictor, data), rel=1e-4)
        if predictor.log.curve:
            assert error == pytest.approx(min(point.valid_error for point in predictor.log.curve), rel=1e-4)


class GivesUp(Predictor):
    """A model whose solver cannot go on."""

    @property
    def parameters(self) -> int:
        return 0

    def encode(self, past: Trajectories) -> Tensor:
        return past.states[:, -1]

    def decode(self, state: Tensor) -> Tensor:
        return state

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        raise SolverError("step too small")


def test_a_solver_that_gives_up_has_the_highest_error(data: Dataset):
    (still,) = Persistence().fit_replicas(data, Budget(), [0])
    found = ValidationForecasts(data).errors([GivesUp(), still])
    assert found.tolist() == [HIGHEST, pytest.approx(geometric_mean_error(still, data))]


def test_trajectories_hardly_longer_than_a_context_are_forecast_as_far_as_they_go():
    short = sample(Lorenz(), replace(SAMPLING, samples=9), 0)
    forecasts = ValidationForecasts(short)
    assert forecasts.past.states.shape == (3, 8, 3)
    assert forecasts.future.states.shape == (3, 1, 3)
