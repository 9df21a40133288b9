"""Stochastic systems: their paths, the order of the schemes, the law of those with a closed form."""

import numpy as np
import pytest
import torch

from systems import GeometricBrownianMotion, Lorenz, Sampling, StochasticLorenz, certify, sample
from systems.certificates.strong_order import strong_order
from systems.solvers.stochastic import euler_maruyama, milstein
from tests.support.cases import few

BRIEF = Sampling(
    step=0.05, trajectories=3, samples=6, valid=1, test=2, context=2, horizon=0.1, climate=1, climate_horizon=0.1
)


def paths(system: GeometricBrownianMotion, count: int, time: float) -> np.ndarray:
    """States that start at 1, so much later."""
    return system.path(np.ones((count, 1)), np.array([0.0, time]), np.random.default_rng(0))[:, 1, 0]


@pytest.mark.parametrize(
    ("system", "scheme", "order"),
    few(
        [
            (GeometricBrownianMotion(), "Euler-Maruyama", 0.5),
            (GeometricBrownianMotion(), "Milstein", 1.0),
            (GeometricBrownianMotion(growth=0.5, volatility=0.7), "Milstein", 1.0),
            (StochasticLorenz(), "Euler-Maruyama", 1.0),
        ],
        0,
        1,
    ),
)
def test_errors_of_paths_fall_with_the_step_as_theory_says(system, scheme: str, order: float):
    assert strong_order(system, scheme, seed=3) == pytest.approx(order, abs=0.1)


def test_one_step_of_milstein_is_the_expansion_of_the_closed_form():
    mu, sigma, x, h, w = 0.3, 0.5, torch.tensor([[2.0]]), 0.01, torch.tensor([[0.07]])
    step = milstein(lambda x: mu * x, lambda x: sigma * x, x, h, w)
    by_hand = 2.0 * (1 + mu * h + sigma * 0.07 + sigma**2 * (0.07**2 - h) / 2)
    assert step.item() == pytest.approx(by_hand, rel=1e-6)
    assert euler_maruyama(lambda x: mu * x, lambda x: sigma * x, x, h, w).item() == pytest.approx(
        2.0 * (1 + mu * h + sigma * 0.07), rel=1e-6
    )


def test_growth_has_the_mean_and_the_variance_of_theory():
    system, time = GeometricBrownianMotion(growth=0.1, volatility=0.3), 4.0
    ends = np.log(paths(system, 20_000, time))
    assert ends.mean() == pytest.approx((0.1 - 0.045) * time, abs=4 * 0.6 / np.sqrt(20_000))
    assert ends.std() == pytest.approx(0.6, rel=0.02)


def test_the_least_crps_is_half_of_the_mean_difference_of_two_paths():
    system = GeometricBrownianMotion()
    ends = paths(system, 20_000, 10.0)
    assert system.least_crps(1.0, 10.0) == pytest.approx(np.abs(ends[::2] - ends[1::2]).mean() / 2, rel=0.04)


def test_a_noise_that_is_hardly_there_leaves_the_lorenz_system():
    start, times = Lorenz().initial_states(2, np.random.default_rng(0)), np.linspace(0.0, 0.3, 301)
    path = StochasticLorenz(noise=1e-9).path(start, times, np.random.default_rng(0))
    assert abs(path - Lorenz().solve(start, times)).max() < 5e-3


def test_kicks_of_the_lorenz_system_have_the_size_that_is_asked_for_on_each_channel():
    start = np.tile([[-8.0, 7.0, 27.0]], (2000, 1))
    ends = StochasticLorenz(noise=2.0).path(start, np.array([0.0, 1e-3]), np.random.default_rng(0))[:, 1]
    np.testing.assert_allclose(ends.std(axis=0), 2.0 * np.sqrt(1e-3), rtol=0.08)
    assert abs(np.corrcoef(ends.T)[np.triu_indices(3, 1)]).max() < 0.08


def test_data_are_the_same_again_and_others_by_seed_and_part():
    system = GeometricBrownianMotion()
    data, again, other = (sample(system, BRIEF, seed) for seed in (0, 0, 1))
    torch.testing.assert_close(data.train.states, again.train.states, rtol=0, atol=0)
    assert (data.train.states != other.train.states).all()
    growth = [part.states[0, 1] / part.states[0, 0] for part in (data.train, data.valid, data.test)]
    assert len({float(one) for one in growth}) == 3


def test_samples_may_come_at_irregular_times():
    data = sample(GeometricBrownianMotion(), Sampling(**(vars(BRIEF) | {"jitter": 0.8, "samples": 40})), 0)
    assert not data.is_regular
    assert (data.train.states > 0).all()


@pytest.mark.parametrize("system", few([GeometricBrownianMotion(), StochasticLorenz()]))
def test_stochastic_systems_are_certified(system):
    certificate = certify(system)
    assert [check.name for check in certificate.checks] == [
        "order of Euler-Maruyama",
        "order of Milstein",
        "digest of the first batch",
    ]
    assert certificate.passed


@pytest.mark.parametrize(
    ("kind", "parameters"), [(StochasticLorenz, {"noise": 0.0}), (GeometricBrownianMotion, {"volatility": 0.0})]
)
def test_what_would_not_be_random_is_refused(kind, parameters: dict):
    with pytest.raises(ValueError, match=f"{kind.__name__} needs {next(iter(parameters))} > 0"):
        kind(**parameters)


def test_a_path_that_leaves_the_finite_numbers_is_told():
    with pytest.raises(FloatingPointError, match="no finite path of StochasticLorenz"):
        StochasticLorenz().path(np.full((1, 3), np.nan), np.array([0.0, 1.0]), np.random.default_rng(0))
