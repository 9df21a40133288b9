"""How fast forecasts part from the truth, against errors that grow at a known rate."""

import numpy as np
import pytest

from metrics import Cost, Evidence, Undefined, divergence_rate, growth_rate
from metrics.growth import rate_interval

TIMES = 0.02 * np.arange(1, 601)
COST = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)


def evidence(error: np.ndarray, times: np.ndarray) -> Evidence:
    """Forecasts of one channel with these errors, `[batch, time]`."""
    truth = np.zeros((*error.shape, 1))
    return Evidence(0.02, np.ones(1), truth, error[:, :, None], truth, truth, COST, times)


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("first", [1e-7, 1e-3])
def test_exponential_growth_has_its_rate_whatever_its_size(rate: float, first: float):
    error = np.minimum(first * np.exp(rate * TIMES), 1.4)
    assert growth_rate(TIMES, error) == pytest.approx(rate, rel=1e-6)


def test_what_errors_do_before_they_grow_does_not_count():
    error = np.minimum(1e-4 * np.exp(TIMES) + 1e-3 * (1 - np.exp(-20 * TIMES)), 1.4)
    assert growth_rate(TIMES, error) == pytest.approx(1.0, rel=0.1)


def test_growth_that_does_not_saturate_within_the_horizon_is_measured_up_to_its_end():
    assert growth_rate(TIMES, 1e-9 * np.exp(0.7 * TIMES)) == pytest.approx(0.7, rel=1e-6)


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("wobble", [0.0, 0.2])
def test_an_error_that_grows_like_a_power_of_time_has_no_rate(power: float, wobble: float):
    error = 1e-6 * (1 + TIMES) ** power * (1 + wobble * np.sin(2 * np.pi * TIMES))
    with pytest.raises(Undefined, match=r"does not grow exponentially, but like time\^"):
        growth_rate(TIMES, error)


def test_errors_that_a_model_makes_on_the_way_do_not_hide_that_they_grow_exponentially():
    assert growth_rate(TIMES, np.minimum(1e-3 * (np.exp(TIMES) - 1), 1.4)) == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(
    "error", [np.full(600, 1.2), np.full(600, np.inf), np.zeros(600), np.minimum(0.1 * np.arange(1, 601), 1.4)]
)
def test_what_is_wrong_from_the_start_or_never_has_no_growth_phase(error: np.ndarray):
    with pytest.raises(Undefined, match=r"no growth phase: from .* it reaches"):
        growth_rate(TIMES, error)


def test_the_metric_is_the_growth_of_the_median_over_states_at_irregular_times_too():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 12, (40, 600)), axis=1) + 1e-3 * np.arange(1, 601)
    error = np.minimum(1e-4 * np.exp(1.1 * times), 1.4)
    assert divergence_rate.measure(evidence(error, times)) == pytest.approx(1.1, rel=0.01)
    shared = np.broadcast_to(TIMES, times.shape)
    assert divergence_rate.measure(evidence(1e-4 * np.exp(1.1 * shared), shared)) == pytest.approx(1.1)


def test_a_minority_of_diverged_forecasts_does_not_matter():
    times = np.broadcast_to(TIMES, (5, 600))
    error = np.minimum(1e-4 * np.exp(times), 1.4)
    error[:2, 50:] = np.nan
    assert divergence_rate.measure(evidence(error, times)) == pytest.approx(1.0, rel=1e-3)
    with_times = times + np.linspace(0, 0.01, 5)[:, None]
    assert divergence_rate.measure(evidence(error, with_times)) == pytest.approx(1.0, rel=0.02)


def test_the_rate_has_an_interval_that_covers_it_as_often_as_it_says():
    rng, covered, widths = np.random.default_rng(0), 0, []
    times = np.broadcast_to(TIMES, (64, 600))
    wrong = np.full((4, 600), 1.2)
    for _ in range(40):
        error = np.minimum(1e-4 * np.exp(times * rng.normal(1.0, 0.1, (64, 1))), 1.4)
        rate, low, high = rate_interval(evidence(error, times))
        assert rate == divergence_rate.measure(evidence(error, times))
        covered += low <= 1.0 <= high
        widths.append(high - low)
    assert covered >= 35
    assert 0.02 < np.median(widths) < 0.1
    with pytest.raises(Undefined, match="no growth phase"):
        rate_interval(evidence(np.vstack([np.minimum(1e-4 * np.exp(times[4:]), 1.4), wrong]), times))


@pytest.mark.parametrize(
    ("times", "error", "message"),
    [
        (TIMES, TIMES[:5], r"series of one length, but have \(600,\) and \(5,\)"),
        (TIMES[None], TIMES[None], r"\(1, 600\)"),
        (TIMES, -TIMES, "negative, but is -0.02 at sample 0"),
        (TIMES, np.where(TIMES > 1, np.nan, TIMES), "but is nan at sample 50"),
    ],
)
def test_bad_series_are_refused(times: np.ndarray, error: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        growth_rate(times, error)
