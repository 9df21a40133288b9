"""Measures of the attractor, against closed forms and published values."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from metrics import (
    ATTRACTOR,
    Cost,
    Evidence,
    binned_divergence,
    correlation_dimension,
    d_h,
    d_stsp,
    grassberger_procaccia,
    mean_discrepancy,
    mixture_divergence,
    mmd,
    out_of_box,
    out_of_box_mass,
    spectral_distance,
    state_space_divergence,
)
from systems import Lorenz
from systems.base import settle

BOTH = (state_space_divergence, out_of_box_mass, spectral_distance, mean_discrepancy)


@cache
def lorenz() -> np.ndarray:
    """44 runs of 1,000 samples 0.02 apart."""
    start = np.array([0.0, 0.0, 25.0]) + np.random.default_rng(1).uniform(-10.0, 10.0, (44, 3))
    return Lorenz().solve(settle(Lorenz(), start, timescales=10), np.arange(1000) * 0.02, 1e-6)


@cache
def henon() -> np.ndarray:
    """Four runs of 6,000 iterations with a = 1.4 and b = 0.3."""
    x, y = np.array([0.1, 0.2, 0.3, 0.4]), np.full(4, 0.1)
    orbit = []
    for _ in range(6100):
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
        orbit.append(np.stack([x, y], axis=-1))
    return np.stack(orbit[100:], axis=1)


def normal(dim: int, mean: float = 0.0, seed: int = 0, samples: int = 5000) -> np.ndarray:
    """Two runs of independent Gaussian states with unit variance."""
    return mean + np.random.default_rng(seed).normal(size=(2, samples, dim))


def waves(*cycles: float, samples: int = 4000) -> np.ndarray:
    """A run with a channel for each number of cycles."""
    return np.sin(2 * np.pi * np.arange(samples)[:, None] / samples * np.array(cycles))[None]


def lost(runs: np.ndarray, sample: int, value: float = np.nan) -> np.ndarray:
    """The same runs, diverged at one sample, and finite again after it."""
    runs = runs.copy()
    runs[:, sample] = value
    return runs


def evidence(truth: np.ndarray, model: np.ndarray) -> Evidence:
    scale = truth.std(axis=(0, 1))
    return Evidence(0.018, scale, truth[:, :5], model[:, :5], truth, model, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))


# All of them


@pytest.mark.parametrize("measure", BOTH)
@pytest.mark.parametrize("dim", [1, 3, 6])
def test_the_truth_itself_is_perfect(measure, dim: int):
    truth = normal(dim, samples=800)
    assert measure(truth, truth) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("measure", BOTH)
def test_units_do_not_matter(measure):
    truth, model, units = normal(3), normal(3, 0.4, 1), np.array([1e3, 1e-3, 7.0])
    assert measure(units * truth, units * model) == pytest.approx(measure(truth, model), rel=1e-3)


@pytest.mark.parametrize("measure", BOTH)
def test_what_diverges_at_once_is_worse_than_anything_finite(measure):
    truth = normal(3)
    gone = measure(truth, np.full_like(truth, np.nan))
    assert gone >= measure(truth, truth + 1e6)
    assert gone >= measure(truth, np.full_like(truth, 0.1))
    assert gone >= measure(truth, lost(truth, 2500, np.inf)) >= measure(truth, lost(truth, 4000)) > 0.05


@pytest.mark.parametrize("measure", BOTH)
def test_huge_numbers_do_not_overflow(measure):
    truth = normal(3, samples=500)
    assert np.isfinite(measure(truth, 1e200 * normal(3, seed=1, samples=500)))


@pytest.mark.parametrize("measure", [*BOTH, binned_divergence, mixture_divergence])
@pytest.mark.parametrize(
    ("truth", "model", "message"),
    [
        (np.ones((5, 2)), np.ones((5, 2)), r"\[batch, time, dim\] array, but has the shape \(5, 2\)"),
        (np.ones((0, 5, 2)), np.ones((0, 5, 2)), "non-empty"),
        (normal(2), normal(3), r"truth's shape \(2, 5000, 2\), but has \(2, 5000, 3\)"),
        (lost(normal(2), 3), normal(2), "truth must be finite, but is nan in state 0, sample 3, channel 0"),
        (normal(2) * [1, 0] + 4, normal(2), "truth must move, but is 4.0 throughout in channel 1"),
    ],
)
def test_bad_runs_are_refused(measure, truth: np.ndarray, model: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        measure(truth, model)


# Divergence of the distributions


@pytest.mark.parametrize("dim", [2, 6])
@pytest.mark.parametrize("shift", [0.3, 0.7])
def test_shifted_gaussians_have_the_closed_form_of_their_mixtures(dim: int, shift: float):
    # the mixtures are Gaussians of variance 1 + 1, so that the divergence is |shift|^2 / (2 * 2)
    divergence = mixture_divergence(normal(dim), normal(dim, shift, seed=1))
    assert divergence == pytest.approx(dim * shift**2 / 4, abs=0.03 + 0.1 * shift * np.sqrt(dim))
    assert divergence == mixture_divergence(normal(dim), normal(dim, shift, seed=1))


def test_the_binned_divergence_of_shifted_gaussians_has_the_closed_form():
    truth, model = normal(1, samples=500_000), normal(1, 0.3, 1, samples=500_000)
    assert binned_divergence(truth, model) == pytest.approx(0.3**2 / 2, rel=0.03)


def test_half_the_mass_outside_the_box_costs_the_logarithm_of_two():
    truth = normal(2)
    model = np.concatenate([truth[:, ::2], np.full((2, 2500, 2), 50.0)], axis=1)
    thinned = np.repeat(truth[:, ::2], 2, axis=1)
    assert binned_divergence(thinned, model) == pytest.approx(np.log(2), abs=1e-3)


def test_a_model_never_in_the_box_has_the_largest_value_possible():
    truth = np.tile([0.0, 1.0], 500)[None, :, None]
    expected = np.log((500 + 1e-5) / 1e-5) * 2 * (500 + 1e-5) / (1000 + 30e-5)
    assert binned_divergence(truth, np.full_like(truth, np.nan)) == pytest.approx(expected)
    assert binned_divergence(truth, truth + 7) == pytest.approx(expected)


def test_bins_serve_up_to_five_dimensions_and_mixtures_above():
    for dim, measure in ((5, binned_divergence), (6, mixture_divergence)):
        truth, model = normal(dim, samples=300), normal(dim, 0.2, 1, samples=300)
        assert state_space_divergence(truth, model) == measure(truth, model)
    with pytest.raises(ValueError, match="at most 5 dimensions, but the states have 6: use mixture_divergence"):
        binned_divergence(normal(6), normal(6))


def test_the_mixture_of_a_model_that_is_gone_is_infinitely_far():
    truth = normal(6, samples=500)
    assert mixture_divergence(truth, np.full_like(truth, np.nan)) == np.inf
    assert np.isfinite(mixture_divergence(truth, lost(truth, 250)))


def test_the_mass_outside_counts_what_is_far_and_all_that_follows_a_divergence():
    truth = np.tile([0.0, 1.0], 50)[None, :, None]  # standard deviation 0.5: the box is [-0.05, 1.05]
    for value, expected in ((1.049, 0.0), (1.051, 0.01), (-0.051, 0.01), (np.inf, 0.6)):
        assert out_of_box_mass(truth, lost(truth, 40, value)) == pytest.approx(expected)


# Spectra


def test_disjoint_spectra_are_as_far_apart_as_can_be():
    assert spectral_distance(waves(200, 1500), waves(1500, 300)) == pytest.approx(1, abs=1e-6)


def test_one_channel_in_three_that_is_wrong_counts_a_third():
    assert spectral_distance(waves(200, 500, 900), waves(200, 1500, 900)) == pytest.approx(1 / 3, abs=1e-6)


def test_overlapping_spectra_have_the_closed_form_of_gaussians():
    # two lines, smoothed to Gaussians of 20 bins, 40 bins apart: the Bhattacharyya coefficient is exp(-40^2 / (8 20^2))
    expected = np.sqrt(1 - np.exp(-(40**2) / (8 * 20**2)))
    assert spectral_distance(waves(1000), waves(1040)) == pytest.approx(expected, abs=3e-3)


def test_size_offset_and_phase_do_not_change_a_spectrum():
    assert spectral_distance(waves(300), 5 - 3 * waves(300)[:, ::-1]) == pytest.approx(0, abs=1e-6)


def test_what_rests_has_no_spectrum():
    assert spectral_distance(waves(300), np.full((1, 4000, 1), 0.3)) == 1
    assert spectral_distance(waves(300), 0.3 + 1e-8 * waves(300)) == 1


def test_runs_that_are_lost_count_fully():
    truth = np.concatenate([waves(300)] * 4)
    model = truth.copy()
    model[0, -1] = np.nan
    assert spectral_distance(truth, model) == pytest.approx(0.25, abs=1e-6)


# Kernel discrepancy


def test_the_discrepancy_of_shifted_gaussians_has_the_closed_form():
    # with k = exp(-(x - y)^2 / 2v), and variance 1 of either: E k = (1 + 2/v)^(-1/2) exp(-d^2 / (2v + 4)) at distance d
    median = 2 * 0.454936  # of (x - y)^2, twice a chi-squared variable
    expected = np.sqrt(2 * (1 + 2 / median) ** -0.5 * (1 - np.exp(-1 / (2 * median + 4))))
    assert mean_discrepancy(normal(1), normal(1, 1.0, seed=1)) == pytest.approx(expected, rel=0.1)


def test_independent_samples_of_one_attractor_are_near():
    assert mean_discrepancy(normal(3), normal(3, seed=1)) < 0.05
    assert mean_discrepancy(lorenz(), lorenz()[::-1]) < 0.05


# Dimension


@pytest.mark.parametrize(("directions", "expected"), [(1, 1.0), (2, 2.0)])
def test_lines_and_planes_have_their_dimension(directions: int, expected: float):
    places = np.random.default_rng(0).uniform(size=(2, 10_000, directions))
    flat = places @ np.random.default_rng(1).normal(size=(directions, 3))
    found = grassberger_procaccia(flat, window=0)
    assert found.value == pytest.approx(expected, abs=0.03)
    assert 0 < found.radii[0] < found.radii[1] < 1


def test_the_henon_map_has_its_published_dimension():
    # 1.21 +- 0.01: Grassberger and Procaccia, Physical Review Letters 50, 1983;
    # 1.220 +- 0.036: Sprott and Rowlands, International Journal of Bifurcation and Chaos 11, 2001
    assert grassberger_procaccia(henon(), window=10).value == pytest.approx(1.21, abs=0.05)


def test_the_lorenz_system_has_its_published_dimension():
    # 2.05 +- 0.01: Grassberger and Procaccia, Physical Review Letters 50, 1983
    assert grassberger_procaccia(lorenz(), window=50).value == pytest.approx(2.05, abs=0.05)
    assert correlation_dimension.measure(evidence(lorenz(), lorenz())) == pytest.approx(2.05, abs=0.05)


def test_neighbours_in_time_do_not_count():
    walk = np.random.default_rng(0).normal(size=(1, 2000, 6)).repeat(5, axis=1)
    walk += 1e-4 * np.random.default_rng(1).normal(size=walk.shape)
    assert grassberger_procaccia(walk, window=0).value < 1.5
    assert grassberger_procaccia(walk, window=5).value > 3.5


@pytest.mark.parametrize("factor", [1e-200, 1e200, -3.0])
def test_the_dimension_does_not_depend_on_units(factor: float):
    plain = grassberger_procaccia(henon()[:, :1500], 10)
    assert grassberger_procaccia(factor * henon()[:, :1500], 10).value == pytest.approx(plain.value, abs=1e-6)


def test_states_that_are_drawn_twice_do_not_count():
    drawn = np.random.default_rng(0).uniform(size=(4000, 2))
    again = np.concatenate([drawn, np.random.default_rng(1).permutation(drawn)])
    assert grassberger_procaccia(again[None], window=0).value == pytest.approx(2, abs=0.1)


def test_what_rests_or_comes_back_exactly_has_no_dimension():
    assert grassberger_procaccia(np.full((1, 500, 3), 2.0), window=1).value == 0
    assert grassberger_procaccia(np.tile([0.0, 1.0, 3.0], 500)[None, :, None], window=0).value == 0


@pytest.mark.parametrize(
    ("runs", "window", "message"),
    [
        (np.ones((5, 2)), 0, r"\[runs, samples, dim\] array, but have the shape \(5, 2\)"),
        (lost(normal(2), 4), 0, "finite: leave out"),
        (normal(2, samples=100), 26, "between 0 and a quarter of the 100 samples of a run, but is 26"),
        (normal(2, samples=100), -1, "but is -1"),
    ],
)
def test_runs_without_a_dimension_are_refused(runs: np.ndarray, window: int, message: str):
    with pytest.raises(ValueError, match=message):
        grassberger_procaccia(runs, window)


def test_the_dimension_of_a_model_that_diverges_is_that_of_its_other_runs_if_half_are_left():
    model = lorenz().copy()
    model[:22, 700:] = np.nan
    rest = correlation_dimension.measure(evidence(lorenz(), model))
    assert rest == pytest.approx(grassberger_procaccia(lorenz()[22:], round(1 / 0.018)).value)
    model[22, 0] = np.inf
    assert np.isnan(correlation_dimension.measure(evidence(lorenz(), model)))


# The metrics


def test_the_metrics_measure_the_long_forecasts_only():
    truth, model = normal(3, samples=500), normal(3, 0.5, 1, samples=500)
    given = evidence(truth, model)
    pairs = ((d_stsp, state_space_divergence), (out_of_box, out_of_box_mass))
    for metric, measure in (*pairs, (d_h, spectral_distance), (mmd, mean_discrepancy)):
        assert metric.measure(given) == measure(truth, model)
        assert metric.measure(replace(given, forecast=np.full((2, 5, 3), np.nan))) == measure(truth, model)
    assert [metric.name for metric in ATTRACTOR] == ["d_stsp", "out_of_box", "d_h", "mmd", "correlation_dimension"]


@pytest.mark.parametrize("model", [lambda truth: truth + 5.0, np.zeros_like, lambda truth: np.full_like(truth, np.nan)])
def test_of_a_truth_of_two_states_no_other_model_has_a_small_discrepancy(model):
    """Most distances within the truth are exactly zero, and are no width of a kernel."""
    truth = np.tile([[[0.51], [0.8]]], (4, 500, 1))
    assert mean_discrepancy(truth, truth) == 0.0
    assert mean_discrepancy(truth, model(truth)) > 0.8


def test_a_model_that_is_very_far_away_has_a_divergence():
    truth = np.random.default_rng(0).standard_normal((2, 300, 6))
    assert mixture_divergence(truth, np.full_like(truth, 1e200)) > 1e100
