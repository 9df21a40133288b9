"""Predictors of one fit forecast together as each does alone."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from bench.cells.forecasting import ForecastCell
from learners import (
    PLRNN,
    Budget,
    Learner,
    NeuralODE,
    Persistence,
    Predictor,
    ResNet,
    RKNet,
    StatefulRNN,
    Training,
    Transformer,
    WindowedRNN,
)
from learners.replicas import forecast_replicas
from metrics import nrmse, vpt
from systems import Dataset, Lorenz, Sampling
from systems.sampling import sample
from tests.support.cases import few

SAMPLING = Sampling(trajectories=2, samples=100, valid=1, test=5, horizon=1.0, climate=2, climate_horizon=2.0)
BRIEF = Training(updates=3, batch=16)
TOGETHER = (
    WindowedRNN(training=BRIEF),
    WindowedRNN(cell="lstm", times="gaps", training=BRIEF),
    Transformer(training=BRIEF),
    PLRNN(form="almost-linear", hidden=4, nonlinear=2, forcing=0.5, training=BRIEF),
    StatefulRNN(cell="lstm", training=BRIEF),
    NeuralODE(training=BRIEF),
    NeuralODE(time=True, augmented=2, damping=0.1, training=BRIEF),
    ResNet(training=BRIEF),
    ResNet(network="convolution", kernel=3, damping=0.1, training=BRIEF),
)
APART = (RKNet(training=BRIEF), Persistence())


@cache
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


def fitted(learner: Learner) -> list[Predictor]:
    return learner.fit_replicas(data(), Budget(), [0, 1, 2])


@pytest.mark.parametrize("learner", TOGETHER, ids=repr)
def test_forecasts_together_are_those_apart(learner: Learner):
    predictors = fitted(learner)
    past, times = data().test.between(0, 32), data().test.times[:, 32:]
    ensemble = predictors[0].ensemble(predictors[1:])
    assert ensemble is not None
    for together, predictor in zip(forecast_replicas(ensemble, 3, past, times), predictors, strict=True):
        apart = predictor.forecast(past, times)
        torch.testing.assert_close(together.states, apart.states, rtol=1e-4, atol=1e-3)
        assert together.evaluations == apart.evaluations


@pytest.mark.parametrize("learner", APART, ids=repr)
def test_what_cannot_go_together_goes_apart(learner: Learner):
    predictors = fitted(learner)
    past, times = data().test.between(0, 32), data().test.times[:, 32:]
    assert predictors[0].ensemble(predictors[1:]) is None
    for predictor in predictors:
        (found,) = forecast_replicas(predictor, 1, past, times)
        assert torch.equal(found.states, predictor.forecast(past, times).states)


def test_going_together_leaves_the_predictors_as_they_are():
    predictors = fitted(TOGETHER[0])
    before = [{name: value.clone() for name, value in one.weights().items()} for one in predictors]
    assert predictors[0].ensemble(predictors[1:]) is not None
    for one, kept in zip(predictors, before, strict=True):
        assert all(torch.equal(value, kept[name]) for name, value in one.weights().items())


@pytest.mark.parametrize("learner", few([TOGETHER[0], *APART], 0), ids=repr)
def test_the_records_of_several_seeds_are_those_of_each_alone(learner: Learner, tmp_path: Path):
    cell = ForecastCell(Lorenz(), learner, SAMPLING, (nrmse, vpt), Budget(), (0, 1, 2), 0)
    together = [trial.record for trial in cell.run(tmp_path)]
    apart = [replace(cell, seeds=(seed,)).run(tmp_path)[0].record for seed in cell.seeds]
    for one, other in zip(together, apart, strict=True):
        assert (one.seed, one.status) == (other.seed, other.status)
        for mine, theirs in zip(one.measurements, other.measurements, strict=True):
            assert mine.value == pytest.approx(theirs.value, rel=1e-3)
