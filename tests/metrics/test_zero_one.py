"""The 0-1 test for chaos, against published values, closed forms and the double loop that defines it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from metrics import Cost, Evidence, Undefined, climate_tests, translation_curves, zero_one_k
from metrics.zero_one import (
    FREQUENCIES,
    ZeroOne,
    first_minimum_of_mutual_information,
    mean_square_displacement,
    subsampling,
    translation,
    zero_one,
)
from systems import Lorenz, Sampling, Simulated, VanDerPol
from systems.base import settle
from tests.support.cases import few

NO_COST = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)


def directly(series: np.ndarray, c: float) -> tuple[np.ndarray, float]:
    """The mean square displacement and K_c by the double loop of the definition."""
    j, lags = np.arange(1, len(series) + 1), len(series) // 10
    p, q = np.cumsum(series * np.cos(j * c)), np.cumsum(series * np.sin(j * c))
    starts, displacement = len(series) - lags, np.empty(lags)
    for n in range(1, lags + 1):
        steps = (p[n : n + starts] - p[:starts]) ** 2 + (q[n : n + starts] - q[:starts]) ** 2
        displacement[n - 1] = steps.mean()
    n = np.arange(1, lags + 1)
    corrected = displacement - series.mean() ** 2 * (1 - np.cos(n * c)) / (1 - np.cos(c))
    return displacement, float(np.corrcoef(n, corrected)[0, 1])


def logistic_map(r: float, samples: int, transient: int = 1000) -> np.ndarray:
    x, orbit = 0.4, []
    for _ in range(transient + samples):
        x = r * x * (1 - x)
        orbit.append(x)
    return np.array(orbit[transient:])


@cache
def lorenz(step: float, samples: int, rho: float = 28.0, count: int = 8) -> np.ndarray:
    """The first variable of trajectories on the attractor."""
    system = Lorenz(rho=rho)
    start = np.array([0.0, 0.0, rho]) + np.random.default_rng(1).uniform(-10.0, 10.0, (count, 3))
    return system.solve(settle(system, start, timescales=15), np.arange(samples) * step, 1e-6)[:, :, 0]


@cache
def climate(system: Simulated, timescales: float = 100.0) -> np.ndarray:
    """The first variable of two long runs, as a suite samples them: 5521 samples, for Lorenz 0.02 apart."""
    sampling = Sampling(step=0.018112, climate_horizon=timescales)
    initial = system.initial_states(2, np.random.default_rng(5))
    times = np.arange(sampling.climate_samples) * sampling.step * system.timescale
    return system.solve(initial, times, 1e-8)[:, :, 0]


def evidence(truth: np.ndarray, model: np.ndarray | None = None) -> Evidence:
    """Long runs `[runs, samples]` of one channel."""
    runs, nothing = truth[:, :, None], np.zeros((1, 3, 1))
    climate = runs if model is None else model[:, :, None]
    return Evidence(0.02, truth.std(keepdims=True)[0], nothing, nothing, runs, climate, NO_COST)


@pytest.fixture(scope="module")
def chaotic() -> np.ndarray:
    return np.stack([logistic_map(3.97, 1200), logistic_map(3.97, 1200, transient=777), logistic_map(3.99, 1200)])


# The test itself


@pytest.mark.parametrize("samples", [1000, 1001, 1499])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_fourier_transforms_give_what_the_double_loop_gives(samples: int, offset: float):
    series = offset + np.random.default_rng(samples).normal(size=samples)
    outcome = zero_one(series)
    for c, k in zip(FREQUENCIES[:10], outcome.k_of_c[:10], strict=True):
        np.testing.assert_allclose(mean_square_displacement(series, c), directly(series, c)[0], rtol=1e-9)
        assert k == pytest.approx(directly(series - series.mean(), c)[1], abs=1e-9)


def test_the_translation_of_a_constant_runs_on_a_circle():
    p, q = translation(np.ones(500), 0.9)
    n = np.arange(1, 501)
    np.testing.assert_allclose(p, np.sin(n * 0.45) / np.sin(0.45) * np.cos((n + 1) * 0.45), atol=1e-12)
    np.testing.assert_allclose(q, np.sin(n * 0.45) / np.sin(0.45) * np.sin((n + 1) * 0.45), atol=1e-12)


def test_the_displacement_of_a_constant_is_the_oscillation_that_is_taken_out():
    c, n = 1.3, np.arange(1, 101)
    expected = 4 * (1 - np.cos(n * c)) / (1 - np.cos(c))
    np.testing.assert_allclose(mean_square_displacement(np.full(1000, 2.0), c), expected, atol=1e-10)


def test_the_displacement_of_white_noise_grows_by_its_variance_with_each_step():
    displacement = mean_square_displacement(np.random.default_rng(3).normal(size=200_000), 1.1)
    np.testing.assert_allclose(displacement[:100], np.arange(1, 101), rtol=0.03)


@pytest.mark.parametrize(("r", "expected"), [(3.97, 0.998), (3.55, -0.005)])
def test_the_logistic_map_has_its_published_values(r: float, expected: float):
    assert zero_one(logistic_map(r, 2000)).k == pytest.approx(expected, abs=0.02)


@pytest.mark.slow  # `doctor` holds the test to the same values
@pytest.mark.parametrize(
    ("step", "every", "expected"), [(0.01, 1, -0.01), (0.05, 1, 0.26), (0.05, 2, 0.998), (0.05, 4, 0.998)]
)
def test_densely_sampled_chaos_passes_for_regular_as_published(step: float, every: int, expected: float):
    outcomes = [zero_one(x, every) for x in lorenz(step, 2200, count=64)]  # at 0.05, K grows with the samples
    assert np.mean([outcome.k for outcome in outcomes]) == pytest.approx(expected, abs=0.02)
    if every != 2:  # at 0.1 the ratio is about 11, on the safe side of the guard
        assert {outcome.is_oversampled for outcome in outcomes} == {expected < 0.5}


@pytest.mark.slow
def test_the_periodic_lorenz_system_is_regular():
    assert max(zero_one(x).k for x in lorenz(0.05, 2000, rho=160.0)) == pytest.approx(0.002, abs=0.02)


@pytest.mark.parametrize("period", [7.0, 23.4, 300.0])
def test_periodic_series_are_regular(period: float):
    assert abs(zero_one(5 + np.sin(2 * np.pi * np.arange(3000) / period)).k) < 0.1


@pytest.mark.parametrize("decay", [5, 50, 500])
def test_a_series_that_settles_is_not_mistaken_for_chaos(decay: float):
    assert zero_one(8 + np.exp(-np.arange(3000) / decay)).k < 0.1


@pytest.mark.parametrize("value", [0.0, -3.7, 1e9])
def test_a_constant_series_is_regular_by_definition(value: float):
    outcome = zero_one(np.full(1500, value))
    assert outcome.k == 0
    assert not outcome.is_oversampled


@pytest.mark.parametrize("factor", [1e-200, -4.0, 1e200])
def test_units_do_not_matter(factor: float, chaotic: np.ndarray):
    assert zero_one(factor * chaotic[0]).k == pytest.approx(zero_one(chaotic[0]).k, abs=1e-9)


@pytest.mark.parametrize("offset", [1e3, 1e4, 1e5, 1e6, -1e9])
def test_the_zero_of_a_scale_does_not_matter(offset: float):
    orbit = logistic_map(3.97, 2000)
    assert zero_one(orbit + offset).k == pytest.approx(zero_one(orbit).k, abs=1e-6)
    assert zero_one(orbit + offset).k == pytest.approx(0.998, abs=0.002)


def test_rest_is_what_single_precision_leaves_of_the_size_of_the_truth():
    jitter = 4.0 + 1e-7 * np.random.default_rng(0).normal(size=1500)
    assert zero_one(jitter, scale=1.0).k == 0
    assert zero_one(jitter, scale=1e-6).k > 0.9


def test_the_outcome_says_how_the_series_was_sampled():
    wave = np.sin(2 * np.pi * np.arange(6000) / 120)
    raw, thinned = zero_one(wave), zero_one(wave, lag=10)
    assert (raw.lag, raw.samples, raw.is_short, raw.is_oversampled) == (1, 6000, False, True)
    assert (thinned.lag, thinned.samples, thinned.is_short, thinned.is_oversampled) == (10, 600, True, False)
    assert raw.oversampling == pytest.approx(120 / 2, rel=1e-2)  # range 2, mean difference 4 amplitudes a period


def test_the_frequencies_are_the_same_for_everyone_and_avoid_resonances():
    assert len(FREQUENCIES) == len(np.unique(FREQUENCIES)) == 100
    assert np.pi / 5 < FREQUENCIES.min()
    assert FREQUENCIES.max() < 4 * np.pi / 5
    assert zero_one(np.sin(np.arange(1000.0) ** 2)).c is FREQUENCIES


def test_the_verdict_is_the_median_over_frequencies():
    assert ZeroOne(np.ones(3), np.array([0.9, -0.2, 1.0]), 1, 1000, 3.0).k == 0.9


def test_the_interval_of_k_is_that_of_a_median_from_its_order_statistics():
    outcome = ZeroOne(np.ones(100), np.random.default_rng(0).permutation(100) / 100, 1, 1000, 3.0)
    assert outcome.interval == (0.39, 0.60)  # the 40th and the 61st of 100, which miss the median in 3.5 % of draws
    assert outcome.interval[0] < outcome.k < outcome.interval[1]
    assert ZeroOne(np.ones(3), np.array([0.9, -0.2, 1.0]), 1, 1000, 3.0).interval == (-0.2, 1.0)


def test_the_interval_covers_the_median_of_other_frequencies_in_ninety_five_draws_of_a_hundred():
    rng = np.random.default_rng(0)
    intervals = [ZeroOne(np.ones(100), rng.normal(size=100), 1, 1000, 3.0).interval for _ in range(1000)]
    assert 0.945 <= np.mean([low <= 0 <= high for low, high in intervals]) <= 0.985


def test_chaos_and_regular_motion_have_narrow_intervals(chaotic: np.ndarray):
    low, high = zero_one(chaotic[0]).interval
    assert 0.98 < low <= high <= 1
    low, high = zero_one(logistic_map(3.55, 2000)).interval
    assert -0.1 < low <= high < 0.1


def test_a_few_resonant_frequencies_do_not_move_the_median():
    outcome = ZeroOne(np.ones(10), np.array([0.9, 0.5, 0.21, 0.2, 0.1, 0.0, 0.0, -0.1, 0.0, 0.0]), 1, 1000, 3.0)
    assert outcome.k < 0.1


def test_nearly_every_frequency_alone_tells_chaos_from_regular_motion(chaotic: np.ndarray):
    def share_above(series: np.ndarray) -> float:
        return float((zero_one(series).k_of_c > 0.2).mean())  # a fifth already speaks for chaos

    assert share_above(chaotic[0]) == 1
    assert share_above(logistic_map(3.55, 2000)) < 0.2
    assert share_above(np.ones(1500)) == 0


def test_warnings_say_in_words_what_is_wrong_with_the_series(chaotic: np.ndarray):
    wave = np.sin(2 * np.pi * np.arange(6000) / 120)
    assert zero_one(chaotic[0]).warnings == ()
    (dense,) = zero_one(wave).warnings
    assert "oversampled: the range is 60 mean differences, above 10" in dense
    assert "raise the lag from 1" in dense
    (short,) = zero_one(wave, lag=10).warnings
    assert short == "only 600 samples after taking every 10th: K needs 1000"
    assert len(zero_one(wave[:900]).warnings) == 2


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (np.ones(19), r"at least 20 samples, but has an array of shape \(19,\)"),
        (np.ones((30, 2)), r"shape \(30, 2\)"),
        (np.array([0.0] * 30 + [np.nan]), "finite series, but sample 30 is nan"),
    ],
)
def test_bad_series_are_refused(series: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        zero_one(series)


# The lag at which a flow is subsampled


def test_the_mutual_information_of_the_lorenz_system_is_first_least_after_a_sixth_of_a_time_unit():
    lag = first_minimum_of_mutual_information(lorenz(0.01, 2000))
    assert 0.13 <= 0.01 * lag <= 0.24  # Fraser and Swinney's criterion gives 0.16 to 0.2 for this series


def test_the_lag_of_noise_on_a_wave_is_about_a_quarter_of_its_period():
    wave = np.sin(2 * np.pi * np.arange(20_000) / 100) + 0.3 * np.random.default_rng(0).normal(size=20_000)
    assert first_minimum_of_mutual_information(wave) == pytest.approx(25, abs=6)


@pytest.mark.slow
def test_pairs_do_not_reach_across_runs():
    runs = climate(Lorenz())
    assert first_minimum_of_mutual_information(runs) == first_minimum_of_mutual_information(runs[::-1])


@pytest.mark.parametrize("series", [np.ones(500), np.ones((3, 4)), np.array([1.0])])
def test_a_series_without_a_minimum_is_not_subsampled(series: np.ndarray):
    assert first_minimum_of_mutual_information(series) == 1


def test_a_square_wave_falls_back_on_its_autocorrelation():
    series = np.sign(np.sin(2 * np.pi * (np.arange(4000) + 0.5) / 80))
    assert 1 <= first_minimum_of_mutual_information(series) <= 40


@pytest.mark.slow
def test_the_lag_leaves_a_thousand_samples_where_they_are_not_too_close():
    runs = climate(Lorenz(), 200.0)
    decorrelated = first_minimum_of_mutual_information(runs)
    assert decorrelated > runs.shape[1] // 1000
    assert subsampling(runs) == runs.shape[1] // 1000
    assert subsampling(runs[:, :2000]) < decorrelated
    for samples in (500, 2000, 5000):
        lag = subsampling(runs[:, :samples])
        assert samples / lag < 1000
        assert not zero_one(runs[0, :samples], lag).is_oversampled


def test_a_map_whose_samples_are_far_apart_is_not_subsampled(chaotic: np.ndarray):
    assert subsampling(chaotic) == subsampling(chaotic[:, :300]) == 1


@pytest.mark.parametrize("lag", [0, -2])
def test_a_lag_that_does_not_go_forward_is_refused(lag: int):
    with pytest.raises(ValueError, match=f"lag must be at least 1, but is {lag}"):
        zero_one(np.arange(100.0), lag)


def test_a_truth_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="sample 3 is inf"):
        first_minimum_of_mutual_information(np.array([0.0, 1.0, 2.0, np.inf]))


# The metric


def test_a_limit_cycle_is_regular():
    assert zero_one_k.measure(evidence(climate(VanDerPol()))) < 0.1


@pytest.mark.slow
def test_the_lorenz_system_is_chaotic_in_any_units():
    runs = climate(Lorenz(), 200.0)
    assert zero_one_k.measure(evidence(runs)) > 0.99
    assert zero_one_k.measure(evidence(101325 + 0.05 * runs)) == pytest.approx(
        zero_one_k.measure(evidence(runs)), abs=1e-6
    )


@pytest.mark.parametrize("timescales", few([18.0, 36.0, 50.0, 72.0, 100.0], 0, 2))
def test_chaos_on_runs_too_short_for_a_lag_that_decorrelates_has_no_value(timescales: float):
    with pytest.raises(
        Undefined, match=r"needs 1000 samples that are not too close .* leaves \d+: raise the climate horizon"
    ):
        zero_one_k.measure(evidence(climate(Lorenz(), timescales)))


def test_a_model_that_is_slower_than_the_truth_has_no_value_instead_of_a_false_one(chaotic: np.ndarray):
    slow = lorenz(0.01, 1200, count=3)
    assert zero_one(slow[0]).k < 0.5
    with pytest.raises(Undefined, match="one sample in 1 of the long forecasts is too dense for the 0-1 test"):
        zero_one_k.measure(evidence(chaotic, slow))


def test_a_shuffled_truth_is_chaotic_and_a_frozen_one_is_regular(chaotic: np.ndarray):
    shuffled = np.random.default_rng(0).permuted(chaotic, axis=1)
    assert zero_one_k.measure(evidence(chaotic, shuffled)) > 0.95
    assert zero_one_k.measure(evidence(chaotic, np.full_like(chaotic, 0.3))) == 0


def test_the_metric_is_the_median_over_runs_and_frequencies(chaotic: np.ndarray):
    given = evidence(chaotic)
    outcomes = climate_tests(given)
    assert len(outcomes) == 3
    assert zero_one_k.measure(given) == np.median(np.concatenate([outcome.k_of_c for outcome in outcomes]))


def test_the_model_is_subsampled_as_suits_the_truth():
    truth = climate(Lorenz(), 200.0)
    lag = subsampling(truth)
    noise = np.random.default_rng(0).normal(size=truth.shape)
    assert [outcome.lag for outcome in climate_tests(evidence(truth, noise))] == [lag, lag]


def test_a_divergence_is_measured_up_to_there_if_a_thousand_samples_are_left(chaotic: np.ndarray):
    model = chaotic.copy()
    model[0, 1000:] = np.nan
    model[1, 999:] = np.inf
    outcomes = climate_tests(evidence(chaotic, model))
    assert [outcome.samples for outcome in outcomes] == [1000, 1200]
    assert zero_one_k.measure(evidence(chaotic, model)) > 0.95


def test_what_diverges_in_most_runs_has_no_value(chaotic: np.ndarray):
    model = chaotic.copy()
    model[:2, 500:] = np.nan
    assert np.isnan(zero_one_k.measure(evidence(chaotic, model)))


@pytest.mark.parametrize("samples", [12, 300, 999])
def test_runs_too_short_to_be_tested_have_no_value(chaotic: np.ndarray, samples: int):
    with pytest.raises(Undefined, match=f"one in 1 of {samples} leaves {samples}"):
        zero_one_k.measure(evidence(chaotic[:, :samples]))


# The picture


def test_curves_of_the_truth_and_a_perfect_model_coincide(chaotic: np.ndarray):
    truth, model = translation_curves(evidence(chaotic))
    np.testing.assert_array_equal(truth, model)
    assert truth.shape == (2, 1200)


def test_curves_are_those_of_the_subsampled_first_run_in_standard_deviations():
    runs = lorenz(0.01, 2000)
    series = runs[0, :: subsampling(runs)]
    truth, _ = translation_curves(evidence(runs), c=1.7)
    np.testing.assert_allclose(truth, translation((series - series.mean()) / runs.std(), 1.7))


def test_curves_do_not_depend_on_the_zero_of_a_scale(chaotic: np.ndarray):
    for shifted, plain in zip(
        translation_curves(evidence(chaotic + 1e5)), translation_curves(evidence(chaotic)), strict=True
    ):
        np.testing.assert_allclose(shifted, plain, atol=1e-6)


def test_the_curve_of_a_model_ends_where_it_diverges(chaotic: np.ndarray):
    model = chaotic.copy()
    model[0, 700:] = np.nan
    truth, curve = translation_curves(evidence(chaotic, model))
    np.testing.assert_allclose(curve[:, :700], truth[:, :700], atol=1e-10)
    assert np.isnan(curve[:, 700:]).all()
    gone = replace(evidence(chaotic), climate=np.full((3, 1200, 1), np.nan))
    assert np.isnan(translation_curves(gone)[1]).all()


def test_the_curve_of_chaos_wanders_and_that_of_a_limit_cycle_stays():
    wandering, _ = translation_curves(evidence(climate(Lorenz())))
    bounded, _ = translation_curves(evidence(climate(VanDerPol())))
    assert np.ptp(wandering) > 3 * np.ptp(bounded)
