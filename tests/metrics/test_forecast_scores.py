"""The scores of the Common Task Framework, against values worked out by hand."""

import numpy as np
import pytest

from metrics import (
    COMMON_TASK,
    Cost,
    Evidence,
    Undefined,
    ctf_long,
    ctf_long_field,
    ctf_short,
    histogram_score,
    short_time_score,
    spectrum_score,
)
from metrics.forecast_scores import mean_spectrum

SCORES = (short_time_score, histogram_score, spectrum_score)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 800, 4))


def evidence(truth: np.ndarray, forecast: np.ndarray) -> Evidence:
    """The same states as test forecasts and as long ones."""
    scale = truth.std(axis=(0, 1))
    return Evidence(0.1, scale, truth, forecast, truth, forecast, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))


def ring(*modes: float, sites: int = 16) -> np.ndarray:
    """A field of two samples: a sum of standing waves with these amplitudes, from the mean on."""
    place = 2 * np.pi * np.arange(sites) / sites
    field = sum(amplitude * np.cos(mode * place) for mode, amplitude in enumerate(modes))
    return np.broadcast_to(np.asarray(field), (1, 2, sites)).copy()


@pytest.mark.parametrize("score", SCORES)
def test_a_perfect_forecast_scores_a_hundred_for_each_state(score, truth: np.ndarray):
    np.testing.assert_allclose(score(truth, truth.copy()), [100.0] * 3)


@pytest.mark.parametrize("score", [short_time_score, spectrum_score])
def test_predicting_zero_scores_zero(score, truth: np.ndarray):
    np.testing.assert_allclose(score(truth, np.zeros_like(truth)), 0, atol=1e-9)


@pytest.mark.parametrize(
    ("score", "worst"), [(short_time_score, -np.inf), (histogram_score, -100), (spectrum_score, -np.inf)]
)
def test_a_divergence_has_the_worst_score_and_leaves_the_other_states_alone(score, worst: float, truth: np.ndarray):
    forecast = truth.copy()
    forecast[1] = np.nan
    np.testing.assert_allclose(score(truth, forecast), [100, worst, 100])


@pytest.mark.parametrize("score", SCORES)
def test_huge_forecasts_are_bad_but_not_an_error(score, truth: np.ndarray):
    assert (score(truth, 1e200 * truth) < -80).all()


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("truth", "forecast", "message"),
    [
        (np.ones((5, 2)), np.ones((5, 2)), r"\[batch, time, dim\] array, but has the shape \(5, 2\)"),
        (np.ones((1, 5, 2)), np.ones((1, 4, 2)), r"truth's shape \(1, 5, 2\), but has \(1, 4, 2\)"),
        (np.full((1, 5, 2), np.inf), np.ones((1, 5, 2)), "finite, but is inf in state 0, sample 0, channel 0"),
    ],
)
def test_bad_arrays_are_refused(score, truth: np.ndarray, forecast: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        score(truth, forecast)


@pytest.mark.parametrize("score", [short_time_score, spectrum_score])
def test_a_truth_that_is_zero_is_refused(score, truth: np.ndarray):
    truth[2] = 0
    with pytest.raises(ValueError, match="that of state 2 is zero throughout"):
        score(truth, truth)


# Short-time score


def test_only_the_first_twenty_samples_count(truth: np.ndarray):
    forecast = truth.copy()
    forecast[:, 20:] = np.nan
    np.testing.assert_allclose(short_time_score(truth, forecast), 100)
    forecast[:, 19] += 1
    assert (short_time_score(truth, forecast) < 95).all()


def test_the_error_is_relative_to_the_truth_and_may_be_larger_than_it(truth: np.ndarray):
    np.testing.assert_allclose(short_time_score(truth, 0.9 * truth), 90)
    np.testing.assert_allclose(short_time_score(truth, -2 * truth), -200)


def test_the_norm_is_the_largest_singular_value():
    truth, error = np.diag([3.0, 4.0])[None], np.diag([1.0, 0.5])[None]
    np.testing.assert_allclose(short_time_score(truth, truth + error), 100 * (1 - 1 / 4))


# Long-time scores


def test_histograms_that_do_not_overlap_score_minus_a_hundred(truth: np.ndarray):
    np.testing.assert_allclose(histogram_score(truth, truth + 1000), -100)


def test_order_does_not_matter_to_histograms_and_only_the_last_samples_count(truth: np.ndarray):
    shuffled = np.random.default_rng(1).permuted(truth[:, -500:], axis=1)
    forecast = np.concatenate([np.full((3, 300, 4), np.nan), shuffled], axis=1)
    np.testing.assert_allclose(histogram_score(truth, forecast), 100)


def test_a_quarter_of_the_samples_in_another_bin_of_one_channel_in_two_costs_a_quarter():
    truth = np.zeros((1, 400, 2))
    truth[:, ::2] = 1.0
    forecast = truth.copy()
    forecast[0, :200:2, 0] = 0.0  # a quarter moves: sum|h^ - h| is twice that, and the other channel has none
    np.testing.assert_allclose(histogram_score(truth, forecast), 100 * (1 - (2 * 0.25 + 0) / 2))


def test_the_spectrum_of_a_wave_is_a_line():
    np.testing.assert_allclose(mean_spectrum(ring(0.0, 0.0, 3.0)), [[0, 0, 24**2, 0, 0, 0, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(mean_spectrum(ring(2.0, sites=5)), [[100, 0, 0]], atol=1e-9)


def test_spectra_are_compared_by_their_euclidean_norm():
    truth, forecast = ring(0.0, 2.0, 1.0), ring(0.0, 1.0, 1.0)  # powers 4 : 1, and 1 : 1, in units of 8^2
    np.testing.assert_allclose(spectrum_score(truth, forecast), 100 * (1 - 3 / np.sqrt(17)))


def test_where_the_waves_stand_does_not_matter_to_spectra():
    field = ring(0.5, 2.0, 1.0, 0.3)
    np.testing.assert_allclose(spectrum_score(field, np.roll(field, 5, axis=-1)), 100)


# The metrics


def test_the_metrics_are_medians_over_states_of_their_own_part_of_the_evidence(truth: np.ndarray):
    forecast = truth * np.array([1.0, 0.8, 0.2])[:, None, None]
    given = evidence(truth, forecast)
    assert ctf_short.measure(given) == pytest.approx(80)
    assert ctf_long.measure(given) == np.median(histogram_score(truth, forecast))
    assert ctf_long_field.measure(given) == pytest.approx(100 * 0.8**2)
    assert [metric.name for metric in COMMON_TASK] == ["ctf_short", "ctf_long", "ctf_long_field"]
    assert {metric.better for metric in COMMON_TASK} == {"higher"}


def test_long_runs_of_a_field_on_a_ring_are_scored_by_their_spectra():
    truth, other = (np.random.default_rng(seed).normal(size=(2, 600, 8)) for seed in (0, 1))
    cost = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    field, states = (Evidence(0.1, np.ones(8), truth, other, truth, other, cost, ring=ring) for ring in (True, False))
    assert ctf_long.measure(field) == np.median(spectrum_score(truth, other)) > 90
    assert ctf_long.measure(states) == np.median(histogram_score(truth, other))


def test_a_channel_at_rest_has_no_histogram_to_compare(truth: np.ndarray):
    truth[:, -500:, 1] = 0.25  # it moved before the samples that are scored
    with pytest.raises(Undefined, match=r"the truth must move, but is 0\.25 throughout in channel 1"):
        histogram_score(truth, truth + 1e-9)
