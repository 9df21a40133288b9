"""Models along the first training trajectory: with what was observed of it, and what is true."""

from dataclasses import replace

import numpy as np
import pytest

from bench.cells.following import fit_of
from bench.cells.stages import Stages
from learners import Budget, NeuralODE, Persistence, ResNet, Training, TrueEquations, WindowedRNN
from learners.training.callbacks import before_each_update
from learners.training.training_step import collect_steps
from systems import Dataset, LinearSpiral, Lorenz96, Sampling, sample

SAMPLING = Sampling(
    step=0.02, trajectories=2, samples=60, valid=1, test=2, context=4, horizon=0.2, climate=1, climate_horizon=0.2
)


def persistence(data: Dataset):
    return Persistence().fit_replicas(data, Budget(), [0])[0]


def test_the_noise_is_in_the_data_and_not_in_the_truth():
    noisy, clean = (sample(LinearSpiral(), replace(SAMPLING, error=error), 0) for error in (0.1, 0.0))
    fit = fit_of(persistence(noisy), noisy)
    assert fit is not None
    np.testing.assert_array_equal(fit.observed, noisy.train.states[0])
    np.testing.assert_allclose(fit.truth, clean.train.states[0])
    assert np.std(fit.observed - fit.truth) == pytest.approx(0.1, rel=0.3)
    np.testing.assert_allclose(fit.times, 0.02 * np.arange(60))


def test_a_model_is_given_the_context_and_forecasts_the_rest():
    data = sample(LinearSpiral(), SAMPLING, 0)
    (equations,) = TrueEquations().fit_replicas(data, Budget(), [0])
    true, constant = fit_of(equations, data), fit_of(persistence(data), data)
    assert true is not None
    assert constant is not None
    for fit in (true, constant):
        assert np.isnan(fit.forecast[:4]).all()
    np.testing.assert_allclose(true.forecast[4:], true.truth[4:], atol=1e-5)
    np.testing.assert_allclose(constant.forecast[4:], np.tile(data.train.states[0, 3], (56, 1)))


@pytest.mark.parametrize("learner", [NeuralODE(width=8), ResNet(width=8)])
def test_a_trained_model_is_followed_as_it_was_before_too_and_stays_as_it_is(learner):
    data = sample(LinearSpiral(), SAMPLING, 0)
    learner = replace(learner, training=Training(updates=20, batch=16))
    with collect_steps():
        (untrained,) = learner.fit_replicas(data, Budget(), [3])
    stages = Stages()
    with before_each_update(stages):
        models = learner.fit_replicas(data, Budget(), [3, 4])
    trained, fit = fit_of(models[0], data), fit_of(models[0], data, stages.before(models))
    expected = fit_of(untrained, data)
    assert fit is not None
    assert trained is not None
    assert expected is not None
    assert fit.before is not None
    np.testing.assert_allclose(fit.before, expected.forecast, rtol=1e-5)
    np.testing.assert_array_equal(fit.forecast, trained.forecast)
    assert np.nanmax(abs(fit.forecast - expected.forecast)) > 1e-3
    again = fit_of(models[0], data)
    assert again is not None
    np.testing.assert_array_equal(again.forecast, trained.forecast)


def test_what_was_not_trained_update_by_update_was_nothing_before():
    data = sample(LinearSpiral(), SAMPLING, 0)
    fit = fit_of(persistence(data), data, Stages().before([persistence(data)]))
    assert fit is not None
    assert fit.before is None


def test_a_ring_or_a_trajectory_no_longer_than_the_context_is_not_followed():
    ring = sample(Lorenz96(sites=8), SAMPLING, 0)
    short = sample(LinearSpiral(), replace(SAMPLING, samples=4), 0)
    assert [fit_of(persistence(data), data) for data in (ring, short)] == [None, None]


def test_a_map_of_one_sampling_step_does_not_follow_irregular_times():
    irregular = sample(LinearSpiral(), replace(SAMPLING, jitter=0.5), 0)
    learner = WindowedRNN(window=4, hidden=2, times="ignored")
    (model,) = learner.fit_replicas(irregular, Budget(effort=1e-9), [0])
    assert fit_of(model, irregular) is None
