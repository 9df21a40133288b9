"""Scores of forecasts that are distributions, against closed forms."""

import numpy as np
import pytest
from scipy.stats import norm

from metrics import Cost, Evidence, crps, ensemble_crps, spread_over_skill, spread_skill

COST = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)


def normal_crps(y: np.ndarray) -> np.ndarray:
    """Of a standard normal distribution: Gneiting and Raftery, 2007."""
    return y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)


@pytest.mark.parametrize("count", [2, 5, 50])
def test_the_score_of_draws_is_on_average_that_of_their_distribution(count: int):
    rng, truth = np.random.default_rng(0), np.array([0.0, 0.7, -2.5])
    members = rng.standard_normal((count, 60_000 // count, 3))
    scores = ensemble_crps(np.broadcast_to(truth, members.shape[1:]), members)
    np.testing.assert_allclose(scores.mean(axis=0), normal_crps(truth), atol=0.02)


def test_a_score_is_its_definition():
    rng = np.random.default_rng(0)
    members, truth = rng.standard_normal((4, 2, 3)), rng.standard_normal((2, 3))
    pairs = np.abs(members[:, None] - members[None]).sum(axis=(0, 1)) / (4 * 3)
    np.testing.assert_allclose(ensemble_crps(truth, members), np.abs(members - truth).mean(axis=0) - pairs / 2)


def test_one_member_is_scored_by_its_error():
    np.testing.assert_allclose(ensemble_crps(np.array([1.0, 2.0]), np.array([[1.5, 0.0]])), [0.5, 2.0])


def test_a_member_that_is_lost_loses_its_forecast_alone():
    assert ensemble_crps(np.zeros(2), np.array([[np.nan, 1.0], [1.0, 1.0]])).tolist() == [np.inf, 1.0]


@pytest.mark.parametrize("spread", [1.0, 0.25])
def test_spread_over_skill_is_one_where_members_are_drawn_as_the_truth_is(spread: float):
    rng = np.random.default_rng(0)
    truth, members = rng.standard_normal(40_000), spread * rng.standard_normal((9, 40_000))
    by_theory = np.sqrt(spread**2 * 10 / 9 / (1 + spread**2 / 9))
    assert spread_over_skill(truth, members) == pytest.approx(by_theory, rel=0.02)


def evidence(members: np.ndarray | None) -> Evidence:
    truth, forecast = np.zeros((1, 2, 1)), np.full((1, 2, 1), 3.0)
    return Evidence(0.1, np.full(1, 2.0), truth, forecast, truth, truth, COST, members=members)


def test_metrics_are_in_standard_deviations_and_take_members_where_there_are_some():
    assert crps.measure(evidence(None)) == 1.5
    assert spread_skill.measure(evidence(None)) == 0.0
    members = np.array([-2.0, 2.0]).reshape(2, 1, 1, 1) * np.ones((2, 1, 2, 1))
    assert crps.measure(evidence(members)) == pytest.approx(0.0)  # 1 - 2 / 2
    assert spread_skill.measure(evidence(members)) == np.inf


def test_members_that_explode_never_score_below_a_perfect_forecast():
    rng = np.random.default_rng(5)
    members = rng.normal(size=(8, 500)) * 10.0 ** rng.integers(0, 200, (8, 500))
    assert (ensemble_crps(rng.normal(size=500), members) >= 0).all()
