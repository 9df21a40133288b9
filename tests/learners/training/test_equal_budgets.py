"""Budgets under which all learners spend alike: as many updates, function evaluations, or seconds."""

from itertools import count
from typing import Any

import pytest

import learners.training.run as training_run
from learners import Budget, MLPClassifier, NeuralODE, ResNet, RKNet, Training, WindowedRNN
from learners.base import Learner, TrainingLog
from learners.training.callbacks import before_each_update
from learners.training.soap import SOAP
from systems import Dataset, Lorenz, Sampling, sample, sample_images
from tests.support.images import SAMPLING, Stripes

LEARNERS = (
    NeuralODE(width=8, training=Training(updates=50, batch=16)),
    NeuralODE(width=8, lookahead=4, training=Training(updates=30, batch=16)),
    ResNet(width=8, blocks=2, training=Training(updates=9, batch=16)),
    WindowedRNN(hidden=8, window=4, training=Training(updates=20, batch=16)),
    RKNet(width=8, training=Training(updates=5, batch=16)),
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    sampling = Sampling(
        step=0.02, trajectories=4, samples=60, valid=2, test=2, horizon=1.0, climate=1, climate_horizon=2.0
    )
    return sample(Lorenz(), sampling, 0)


def log_of(learner: Learner, data: Dataset, budget: Budget) -> TrainingLog:
    return learner.fit_replicas(data, budget, [0, 1])[1].log


@pytest.mark.parametrize("learner", LEARNERS, ids=repr)
def test_all_take_as_many_updates(learner: Learner, data: Dataset):
    log = log_of(learner, data, Budget(0.5, equal="updates", allowance=12))
    assert log.updates == 6
    assert log.curve[-1].update == 6


@pytest.mark.parametrize("learner", LEARNERS, ids=repr)
def test_all_spend_as_many_evaluations_but_for_less_than_an_update(learner: Learner, data: Dataset):
    log = log_of(learner, data, Budget(0.5, equal="nfe", allowance=240))
    of_one = log.nfe_forward + log.nfe_backward
    assert abs(log.updates * of_one - 120) < 1.3 * of_one  # the cost of one changes where steps are adaptive
    assert log.curve[-1].update == log.updates


def test_segments_that_grow_to_their_length_leave_no_evaluations_unspent(data: Dataset):
    learner = NeuralODE(width=8, lookahead=10, curriculum=0.5, training=Training(updates=9, batch=16))
    log = log_of(learner, data, Budget(equal="nfe", allowance=4000))
    of_one = log.nfe_forward + log.nfe_backward
    assert abs(log.updates * of_one - 4000) <= 2 * 10 * 4


def test_who_spends_no_evaluations_has_its_own_number_of_updates():
    learner, images = (
        MLPClassifier(hidden=4, training=Training(updates=12, batch=16)),
        sample_images(Stripes(), SAMPLING, 0),
    )
    assert learner.fit_replicas(images, Budget(0.5, equal="nfe", allowance=100), [0])[0].log.updates == 6


@pytest.mark.parametrize("learner", LEARNERS, ids=repr)
def test_all_spend_as_many_seconds(learner: Learner, data: Dataset, monkeypatch: pytest.MonkeyPatch):
    ticks = count()
    monkeypatch.setattr(training_run, "perf_counter", lambda: 1e-3 * next(ticks))  # a look at the clock takes 1 ms
    log = log_of(learner, data, Budget(equal="seconds", allowance=0.02))
    assert log.fit_seconds == pytest.approx(0.02, rel=0.2)
    assert log.curve[-1].update == log.updates


def test_seconds_are_planned_for_optimisers_that_take_longer_than_gradients(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
):
    ticks = count()
    monkeypatch.setattr(training_run, "perf_counter", lambda: 1e-3 * next(ticks))
    monkeypatch.setattr(SOAP, "step", lambda optimiser: [next(ticks) for _ in range(20)])
    training, planned = Training(updates=9, batch=16, optimiser="soap"), list[int]()
    with before_each_update(lambda state: planned.append(state.planned)):
        log = log_of(WindowedRNN(hidden=8, training=training), data, Budget(equal="seconds", allowance=0.5))
    assert log.updates > 0.8 * planned[0] > 10


@pytest.mark.parametrize("optimiser", ["adam", "levenberg-marquardt"])
def test_all_are_validated_as_often_whatever_their_updates_cost(optimiser: Any, data: Dataset):
    training = Training(updates=10, batch=32, validations=20, optimiser=optimiser)
    learner = NeuralODE(width=16, depth=1, solver="midpoint", training=training)
    log = log_of(learner, data, Budget(equal="nfe", allowance=2000))
    assert len(log.curve) == pytest.approx(20, abs=1)


def test_samples_are_updates_times_batch_times_length(data: Dataset):
    budget = Budget(equal="updates", allowance=3)
    assert [log_of(learner, data, budget).samples for learner in LEARNERS[:3]] == [3 * 16 * n for n in (2, 5, 2)]
