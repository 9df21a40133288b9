"""The truth's own score: what long runs are told apart by, where there is nothing to tell apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learners import Budget, IndependentTruth, Unsuitable
from metrics import d_stsp, state_space_divergence
from systems import Dataset, Lorenz, LotkaVolterra, RandomSpirals, Sampling, StochasticLorenz, System, sample

SAMPLING = Sampling(
    step=0.018112, trajectories=2, samples=40, valid=1, test=20, context=4, horizon=0.5, climate=1, climate_horizon=1.0
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


def forecast(data: Dataset, part: str, seed: int) -> np.ndarray:
    (predictor,) = IndependentTruth().fit_replicas(data, Budget(), [seed])
    trajectories = getattr(data, part)
    return predictor.forecast(trajectories.between(0, 4), trajectories.times[:, 4:]).states.numpy()


@pytest.mark.slow
def test_independent_truths_of_lorenz_differ_as_they_are_known_to():
    data = sample(Lorenz(), replace(SAMPLING, climate=8, climate_horizon=200.0), 0)
    truth = data.climate.states[:, 4:].numpy()
    found = [state_space_divergence(truth, forecast(data, "climate", seed)) for seed in range(3)]
    assert 0.02 < min(found) < max(found) < 0.2
    assert len(set(found)) == 3
    assert d_stsp.better == "lower"


@pytest.mark.parametrize("system", [LotkaVolterra(), StochasticLorenz()], ids=str)
def test_an_independent_truth_starts_where_the_long_runs_do(system: System):
    about = replace(SAMPLING, centre=(1.0,) * system.dim, spread=1e-3)
    for sampling, near in ((about, True), (replace(about, elsewhere=True), False)):
        data = sample(system, sampling, 0)
        (predictor,) = IndependentTruth().fit_replicas(data, Budget(), [0])
        start = predictor.encode(data.climate.between(0, 4))
        assert bool(((start - 1).abs() < 0.01).all()) == near


def test_an_independent_truth_is_a_trajectory_of_the_system_that_has_nothing_to_do_with_the_past(data: Dataset):
    states = forecast(data, "test", 0)
    times = SAMPLING.step * Lorenz().timescale * np.arange(states.shape[1])
    np.testing.assert_allclose(states[:3], Lorenz().solve(states[:3, 0], times), atol=1e-4)
    truth = data.test.states[:, 4:].numpy()
    assert np.sqrt(((states - truth)[:, 0] ** 2 / data.std.numpy() ** 2).mean()) > 0.7
    np.testing.assert_array_equal(states[16:], states[:4])  # so many as are solved
    assert len(np.unique(states[:16, 0], axis=0)) == 16


def test_the_channels_are_those_that_are_observed():
    data = sample(
        Lorenz(),
        Sampling(trajectories=1, samples=5, valid=1, test=2, context=4, climate=1, climate_horizon=1, channels=(0, 2)),
        0,
    )
    (predictor,) = IndependentTruth().fit_replicas(data, Budget(), [0])
    assert predictor.decode(torch.arange(3.0).double()[None]).tolist() == [[0.0, 2.0]]


def test_what_cannot_be_simulated_has_no_other_truth():
    with pytest.raises(Unsuitable, match="needs a system that can be simulated"):
        IndependentTruth().fit_replicas(sample(RandomSpirals(), SAMPLING, 0), Budget(), [0])
