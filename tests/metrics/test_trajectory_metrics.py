"""Trajectory metrics, against values worked out by hand and plain loops."""

from dataclasses import replace

import numpy as np
import pytest

import metrics
from metrics import (
    Cost,
    Evidence,
    Metric,
    cumulative_maximum_error,
    normalised_error,
    relative_roughness,
    symmetric_percentage_error,
    valid_prediction_time,
)
from metrics.trajectory import forecast_error

TRAJECTORY = (metrics.nrmse, metrics.vpt, metrics.vpt_strict, metrics.smape, metrics.cme, metrics.roughness)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def truth(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(5, 30, 3)).cumsum(axis=1)


@pytest.fixture
def forecast(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    return truth + 0.1 * rng.normal(size=truth.shape).cumsum(axis=1)


def evidence(truth: np.ndarray, forecast: np.ndarray, step: float = 0.1) -> Evidence:
    scale = np.array([1.0, 2.0, 0.5])[: truth.shape[-1]]
    cost = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    return Evidence(step, scale, truth, forecast, truth[:2], forecast[:2], cost)


def flat(*values: float) -> np.ndarray:
    """A batch of one state with one channel."""
    return np.array(values)[None, :, None]


# Normalised error


def test_normalised_error_is_the_root_mean_square_over_channels_in_units_of_the_scale():
    truth, forecast = np.zeros((1, 1, 2)), np.array([[[3.0, 8.0]]])
    error = normalised_error(truth, forecast, np.array([1.0, 2.0]))
    np.testing.assert_allclose(error, [[np.sqrt((9 + 16) / 2)]])


def test_normalised_error_does_not_depend_on_units(truth: np.ndarray, forecast: np.ndarray):
    units, scale = np.array([1e3, 1e-3, 7.0]), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        normalised_error(truth * units, forecast * units, scale * units), normalised_error(truth, forecast, scale)
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_forecast_that_became_non_finite_stays_infinitely_wrong(bad: float):
    error = normalised_error(np.zeros((1, 4, 1)), flat(1, bad, 1, 0), np.ones(1))
    np.testing.assert_array_equal(error, [[1, np.inf, np.inf, np.inf]])


def test_one_non_finite_channel_is_a_divergence_of_that_state_alone():
    forecast = np.zeros((2, 3, 2))
    forecast[0, 1, 1] = np.nan
    error = normalised_error(np.zeros((2, 3, 2)), forecast, np.ones(2))
    np.testing.assert_array_equal(error, [[0, np.inf, np.inf], [0, 0, 0]])


def test_a_forecast_too_large_to_be_squared_is_infinitely_wrong():
    assert normalised_error(np.zeros((1, 1, 1)), flat(1e200), np.ones(1)) == np.inf


# Valid prediction time


@pytest.mark.parametrize(
    ("errors", "samples"),
    [
        ([0.5, 0.0, 0.0], 0),  # equal to the threshold is too much
        ([0.9, 0.0, 0.0], 0),
        ([0.1, 0.5, 0.0], 1),
        ([0.1, 0.2, 0.7], 2),
        ([0.1, 0.2, 0.3], 3),
        ([0.1, np.nan, 0.1], 1),
        ([0.1, np.inf, np.inf], 1),
    ],
)
def test_valid_prediction_time_is_a_step_for_each_leading_sample_below_the_threshold(errors: list, samples: int):
    np.testing.assert_allclose(valid_prediction_time(np.array([errors]), 0.02), [samples * 0.02])


def test_an_error_that_grows_by_e_in_a_timescale_is_valid_for_the_logarithm_of_its_room_to_grow():
    step, times = 0.001, np.arange(1, 20001) * 0.001
    error = 1e-4 * np.exp(times)[None]
    assert valid_prediction_time(error, step)[0] == pytest.approx(np.log(0.5 / 1e-4), abs=step)
    assert valid_prediction_time(error, step, 0.05)[0] == pytest.approx(np.log(0.05 / 1e-4), abs=step)


# Symmetric percentage error


def test_symmetric_percentage_error_runs_from_0_to_200():
    truth = np.ones((3, 2, 1))
    forecast = np.stack([np.ones((2, 1)), np.full((2, 1), 3.0), np.full((2, 1), -1.0)])
    np.testing.assert_allclose(symmetric_percentage_error(truth, forecast), [0, 100, 200])


def test_symmetric_percentage_error_counts_zero_against_zero_as_no_error():
    np.testing.assert_allclose(symmetric_percentage_error(flat(0, 1), flat(0, 3)), [50])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1.7e308])
def test_symmetric_percentage_error_counts_200_from_a_divergence_on(bad: float):
    expected = [(0 + 200 + 200 * (bad != 1.7e308)) / 3]
    np.testing.assert_allclose(symmetric_percentage_error(flat(1, 1e308, 1), flat(1, -bad, 1)), expected)


def test_symmetric_percentage_error_agrees_with_a_plain_loop(truth: np.ndarray, forecast: np.ndarray):
    for state, row in enumerate(symmetric_percentage_error(truth, forecast)):
        pairs = list(zip(truth[state].ravel(), forecast[state].ravel(), strict=True))
        assert row == pytest.approx(200 * sum(abs(x - y) / (abs(x) + abs(y)) for x, y in pairs) / len(pairs))


# Cumulative maximum error


def test_cumulative_maximum_error_remembers_the_largest_error_and_stops_at_one():
    truth = flat(-1, 1, -1, 1)  # spread 1 about a mean of 0
    assert cumulative_maximum_error(truth, truth + flat(0, 0.5, 0.1, 0))[0] == pytest.approx(1.5 / 4)
    assert cumulative_maximum_error(truth, truth + flat(0, 0, 9, 0))[0] == pytest.approx(2 / 4)


def test_cumulative_maximum_error_takes_the_distance_over_the_channels():
    truth = np.array([[[-3.0, -4.0], [3.0, 4.0]]])  # spread 5
    assert cumulative_maximum_error(truth, truth + np.array([0.3, 0.4]))[0] == pytest.approx(0.1)


def test_cumulative_maximum_error_counts_one_from_a_divergence_on():
    truth = flat(-1, 1, -1, 1)
    assert cumulative_maximum_error(truth, flat(-1, np.nan, -1, 1))[0] == pytest.approx(3 / 4)


def test_cumulative_maximum_error_agrees_with_a_plain_loop(truth: np.ndarray, forecast: np.ndarray):
    every = truth.reshape(-1, 3)
    spread = np.sqrt(np.mean([np.sum((x - every.mean(axis=0)) ** 2) for x in every]))
    for state, row in enumerate(cumulative_maximum_error(truth, forecast)):
        distances = [float(np.linalg.norm(y - x)) for x, y in zip(truth[state], forecast[state], strict=True)]
        assert row == pytest.approx(np.mean([min(1, max(distances[: k + 1]) / spread) for k in range(30)]))


def test_cumulative_maximum_error_refuses_a_truth_that_does_not_move():
    with pytest.raises(ValueError, match="the truth is constant"):
        cumulative_maximum_error(np.ones((2, 3, 1)), np.ones((2, 3, 1)))


# Roughness


def test_roughness_of_the_truth_is_one(truth: np.ndarray):
    np.testing.assert_allclose(relative_roughness(truth, truth, np.ones(3)), 1)


def test_roughness_is_the_ratio_of_curvatures():
    times = np.arange(50.0)[None, :, None]
    np.testing.assert_allclose(relative_roughness(times**2, 3 * times**2, np.ones(1)), [3])


def test_a_straight_forecast_has_no_roughness():
    times = np.arange(50.0)[None, :, None]
    assert relative_roughness(times**2, 7 * times, np.ones(1))[0] < 1e-12


def test_sampling_noise_shows_as_roughness(rng: np.random.Generator):
    times = np.linspace(0, 20, 1000)[None, :, None]
    noise = 0.01 * rng.normal(size=times.shape)
    bending = np.sqrt((np.diff(np.sin(times), 2, axis=1) ** 2).mean())
    expected = np.sqrt(bending**2 + 6 * 0.01**2) / bending  # second differences of white noise: 1 + 4 + 1 variances
    assert relative_roughness(np.sin(times), np.sin(times) + noise, np.ones(1))[0] == pytest.approx(expected, rel=0.05)


def test_roughness_weighs_channels_by_their_scale():
    times = np.arange(10.0)
    truth = np.stack([times**2, 1000 * times**2], axis=-1)[None]
    forecast = truth * [1.0, 2.0]
    assert relative_roughness(truth, forecast, np.array([1.0, 1000.0]))[0] == pytest.approx(np.sqrt(5 / 2))


def test_at_a_fixed_point_a_forecast_is_as_smooth_as_the_truth_up_to_rounding(rng: np.random.Generator):
    still = np.full((1, 20, 1), 8.0)
    rounding = 1e-8 * rng.normal(size=still.shape)
    assert relative_roughness(still, still, np.ones(1))[0] == 1
    assert relative_roughness(still, still + rounding, np.ones(1))[0] == 1
    assert 1e3 < relative_roughness(still, still + 1e6 * rounding, np.ones(1))[0] < 1e6


def test_a_divergence_is_infinitely_rough():
    assert relative_roughness(flat(0, 1, 0, 1), flat(0, 1, np.nan, 1), np.ones(1))[0] == np.inf


def test_roughness_needs_three_samples():
    with pytest.raises(ValueError, match="need 3 samples, but the forecast has 2: raise the horizon"):
        relative_roughness(flat(0, 1), flat(0, 1), np.ones(1))


# All of them


@pytest.mark.parametrize("metric", TRAJECTORY, ids=lambda metric: metric.name)
def test_a_metric_is_a_finite_number_with_its_best_value_for_a_perfect_forecast(metric: Metric, truth: np.ndarray):
    best = {"nrmse": 0, "vpt": 3.0, "vpt_strict": 3.0, "smape": 0, "cme": 0, "roughness": 1}[metric.name]
    value = metric.measure(evidence(truth, truth.copy()))
    assert isinstance(value, float)
    assert value == pytest.approx(best)


@pytest.mark.parametrize("metric", TRAJECTORY, ids=lambda metric: metric.name)
def test_a_metric_leaves_the_evidence_as_it_is(metric: Metric, truth: np.ndarray, forecast: np.ndarray):
    forecast[0, 3] = np.nan
    given = evidence(truth.copy(), forecast.copy())
    metric.measure(given)
    np.testing.assert_array_equal(given.truth, truth)
    np.testing.assert_array_equal(given.forecast, forecast)


@pytest.mark.parametrize("metric", TRAJECTORY, ids=lambda metric: metric.name)
def test_a_metric_is_not_moved_by_a_minority_of_diverged_states(metric: Metric, truth: np.ndarray):
    forecast = truth.copy()
    forecast[:2] = np.nan
    assert metric.measure(evidence(truth, forecast)) == metric.measure(evidence(truth, truth))


@pytest.mark.parametrize(
    ("metric", "worst"),
    list(zip(TRAJECTORY, [np.inf, 0.0, 0.0, 200.0, 1.0, np.inf], strict=True)),
    ids=lambda value: getattr(value, "name", None),
)
def test_a_metric_is_at_its_worst_where_most_states_diverge_at_once(metric: Metric, worst: float, truth: np.ndarray):
    forecast = truth.copy()
    forecast[:3] = np.inf
    assert metric.measure(evidence(truth, forecast)) == worst


@pytest.mark.parametrize("metric", TRAJECTORY, ids=lambda metric: metric.name)
def test_a_metric_prefers_the_forecast_with_the_smaller_error(metric: Metric, truth: np.ndarray, forecast: np.ndarray):
    near, far = (metric.measure(evidence(truth, truth + size * (forecast - truth))) for size in (0.1, 3.0))
    prefers = {"higher": near > far, "lower": near < far, "truth": abs(near - 1) < abs(far - 1)}
    assert prefers[metric.better]


def test_nrmse_is_the_median_over_states_of_the_mean_over_time():
    truth = np.zeros((3, 2, 1))
    forecast = np.array([[1.0, 3.0], [10.0, 20.0], [0.0, 1.0]])[:, :, None]
    assert metrics.nrmse.measure(evidence(truth, forecast)) == 2.0


def test_valid_prediction_times_use_the_field_s_two_thresholds():
    truth = np.zeros((1, 3, 1))
    given = evidence(truth, flat(0.049, 0.49, 0.51), step=0.25)
    assert metrics.vpt.measure(given) == 0.5
    assert metrics.vpt_strict.measure(given) == 0.25


# Irregular times


def irregular(times: np.ndarray, forecast: np.ndarray) -> Evidence:
    truth, cost = np.zeros_like(forecast), Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    return Evidence(0.1, np.ones(1), truth, forecast, truth, truth, cost, times)


def test_the_prediction_time_is_that_of_the_last_good_sample_of_each_state():
    times = np.array([[0.1, 0.5, 2.0], [0.3, 0.4, 0.5], [1.0, 2.0, 4.0]])
    error = np.array([[0.1, 0.1, 0.9], [0.9, 0.1, 0.1], [0.1, 0.1, 0.1]])
    np.testing.assert_array_equal(valid_prediction_time(error, times), [0.5, 0.0, 4.0])
    np.testing.assert_array_equal(valid_prediction_time(error, times[0]), [0.5, 0.0, 2.0])
    assert metrics.vpt.measure(irregular(times, error[:, :, None])) == 0.5


def test_means_over_time_give_each_sample_the_time_since_the_one_before():
    times, forecast = np.array([[1.0, 1.5, 4.0]]), flat(0.2, 1.0, 0.6)
    assert metrics.nrmse.measure(irregular(times, forecast)) == pytest.approx((0.2 + 0.5 * 1.0 + 2.5 * 0.6) / 4)
    truth = np.array([[-1.0], [1.0]] * 2).T[:, :, None]
    error = cumulative_maximum_error(truth, truth + flat(0.0, 0.5, 0.0, 2.0), np.array([1.0, 1.5, 4.0, 5.0]))
    np.testing.assert_allclose(error, (0.5 * 0.5 + 2.5 * 0.5 + 1.0) / 5)


def test_roughness_does_not_see_when_smooth_motion_is_sampled(rng: np.random.Generator):
    times = np.sort(rng.uniform(0, 10, (3, 400)), axis=1) + 0.005 * np.arange(1, 401)
    truth, forecast = np.sin(times)[:, :, None], 2 * np.sin(times)[:, :, None]
    np.testing.assert_allclose(relative_roughness(truth, forecast, np.ones(1), times), 2.0)
    parabola = (times**2)[:, :, None]
    bent = relative_roughness(parabola, np.ones_like(parabola), np.ones(1), times)
    np.testing.assert_allclose(bent, 0.0)
    regular = relative_roughness(truth, parabola, np.ones(1), 0.1)
    assert (regular != relative_roughness(truth, parabola, np.ones(1), times)).all()


def test_regular_times_are_those_of_the_step(truth: np.ndarray, forecast: np.ndarray):
    given = evidence(truth, forecast, step=0.25)
    np.testing.assert_allclose(given.times, np.tile(0.25 * np.arange(1, 31), (5, 1)))
    again = replace(given, times=0.25 * np.arange(1, 31))
    for metric in TRAJECTORY:
        assert metric.measure(again) == pytest.approx(metric.measure(given))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (np.ones(4), r"each of 3 samples of 2 states, but have the shape \(4,\)"),
        (np.ones((3, 3)), r"shape \(3, 3\)"),
        (np.array([-0.1, 0.2, 0.3]), "positive and increase, but state 0 has -0.1 at sample 0"),
        (np.array([[0.1, 0.2, 0.3], [0.1, 0.4, 0.3]]), "state 1 has 0.3 at sample 2 after 0.4"),
        (np.array([0.1, 0.2, np.inf]), "state 0 has inf at sample 2"),
        (np.array([0.1, np.nan, 0.3]), "state 0 has nan at sample 1"),
        (-0.1, "step must be positive and finite, but is step=-0.1"),
        (np.inf, "step=inf"),
    ],
)
def test_times_that_make_no_sense_are_refused(times: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        valid_prediction_time(np.ones((2, 3)), times)


def test_evidence_refuses_such_times_too(truth: np.ndarray):
    with pytest.raises(ValueError, match=r"state 0 has -1\.0 at sample 0"):
        replace(evidence(truth, truth), times=np.full(30, -1.0))


def test_errors_are_worked_out_once_for_all_metrics(truth: np.ndarray, forecast: np.ndarray):
    given = evidence(truth, forecast)
    assert forecast_error(given) is forecast_error(given)
    other = evidence(truth, truth)
    assert not forecast_error(other).any()
    assert forecast_error(given).any()


# Bad input


MEASURES = (
    lambda truth, forecast: normalised_error(truth, forecast, np.ones(2)),
    symmetric_percentage_error,
    cumulative_maximum_error,
    lambda truth, forecast: relative_roughness(truth, forecast, np.ones(2)),
)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("truth", "forecast", "message"),
    [
        (np.ones((4, 2)), np.ones((4, 2)), r"\[batch, time, dim\] array, but has the shape \(4, 2\)"),
        (np.ones((0, 4, 2)), np.ones((0, 4, 2)), r"non-empty .* \(0, 4, 2\)"),
        (np.ones((3, 4, 2)), np.ones((3, 5, 2)), r"the truth's shape \(3, 4, 2\), but has \(3, 5, 2\)"),
        (np.full((3, 4, 2), np.nan), np.ones((3, 4, 2)), "finite, but is nan in state 0, sample 0, channel 0"),
    ],
)
def test_bad_arrays_are_refused_with_what_is_wrong(measure, truth: np.ndarray, forecast: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        measure(truth, forecast)


@pytest.mark.parametrize("measure", [normalised_error, relative_roughness])
@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (np.array([1.0, 0.0]), r"positive, but is 0\.0 in channel 1: .* constant"),
        (np.array([np.nan, 1.0]), "positive, but is nan in channel 0"),
        (np.ones(3), r"each of 2 channels, but has the shape \(3,\)"),
        (1.0, r"each of 2 channels, but has the shape \(\)"),
    ],
)
def test_bad_scales_are_refused_with_the_channel(measure, scale, message: str):
    with pytest.raises(ValueError, match=message):
        measure(np.ones((3, 4, 2)), np.ones((3, 4, 2)), scale)


@pytest.mark.parametrize(
    ("error", "step", "threshold", "message"),
    [
        (np.ones(3), 0.1, 0.5, r"\[batch, time\] array, but have the shape \(3,\)"),
        (np.ones((0, 3)), 0.1, 0.5, "non-empty"),
        (np.ones((2, 3)), 0.0, 0.5, r"must be positive and finite, but is step=0\.0"),
        (np.ones((2, 3)), np.nan, 0.5, "step=nan"),
        (np.ones((2, 3)), 0.1, -0.5, r"threshold=-0\.5"),
    ],
)
def test_bad_thresholds_are_refused(error: np.ndarray, step: float, threshold: float, message: str):
    with pytest.raises(ValueError, match=message):
        valid_prediction_time(error, step, threshold)


# What the package exports


def test_the_standard_metrics_come_in_the_order_of_the_tables():
    names = "nrmse vpt vpt_strict vpt_capped smape cme roughness zero_one_k unbounded_fraction"
    costs = "nfe_forward nfe_backward nfe_forecast parameters updates samples fit_seconds forecast_seconds"
    costs += " flops_update flops_forecast saved_bytes kept_bytes peak_bytes"
    assert [metric.name for metric in metrics.STANDARD] == [*names.split(), *costs.split()]


@pytest.mark.parametrize("metric", metrics.STANDARD, ids=lambda metric: metric.name)
def test_a_metric_is_exported_under_its_name_and_says_what_it_measures(metric: Metric):
    assert getattr(metrics, metric.name) is metric
    assert metric.name in metrics.__all__
    assert 15 < len(metric.about) < 120
    assert "\n" not in metric.about


@pytest.mark.parametrize("metric", metrics.LONG_TERM, ids=lambda metric: metric.name)
def test_a_long_term_metric_is_exported_under_its_name_too(metric: Metric):
    assert getattr(metrics, metric.name) is metric
    assert metric.name in metrics.__all__
    assert metric not in metrics.STANDARD
    assert 15 < len(metric.about) < 130


def test_a_description_of_a_metric_stands_before_that_of_its_measure():
    assert replace(metrics.vpt, about="How long.").about == "How long."
    assert Metric("one", "", "lower", lambda evidence: 1.0).about == ""


def test_a_channel_that_is_zero_throughout_leaves_no_relative_error():
    truth = np.random.default_rng(0).normal(size=(2, 5, 3)) * [1.0, 1.0, 0.0]
    with pytest.raises(metrics.Undefined, match=r"that is zero throughout in channel 2"):
        metrics.symmetric_percentage_error(truth, truth + 1e-9)
