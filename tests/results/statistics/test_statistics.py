"""Statistics: intervals that cover, summaries that count failures, ranks that punish them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from results.statistics.intervals import (
    Estimate,
    Interval,
    interquartile_mean,
    median_interval,
    prediction_time_interval,
    probability_of_improvement,
    stratified,
)
from results.statistics.means import mean_of_seeds, mean_over
from results.statistics.ranking import mean_rank, ranking, ranks
from results.statistics.scores import losses
from results.statistics.trials import summary
from tests.support.cases import few
from tests.support.synthetic import long_form


def test_the_interval_of_a_median_covers_the_true_one_in_about_95_percent_of_samples():
    samples = np.random.default_rng(1).exponential(size=(500, 40))
    low, high = median_interval(samples)
    covered = np.mean((low <= np.log(2)) & (np.log(2) <= high))
    assert 0.92 <= covered <= 0.98


def test_intervals_of_many_rows_are_those_of_each_row_alone():
    samples = np.random.default_rng(2).normal(size=(5, 20))
    low, high = median_interval(samples)
    alone = [median_interval(sample) for sample in samples]
    np.testing.assert_array_equal(low, [ends[0] for ends in alone])
    np.testing.assert_array_equal(high, [ends[1] for ends in alone])


def test_one_trial_has_no_interval():
    low, high = median_interval(np.array([[3.0]]))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_prediction_time_is_the_median_over_seeds_of_medians_over_states():
    vpt = np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 5.0], [0.0, 0.0, 10.0]])
    interval = prediction_time_interval(vpt)
    assert interval.median == 2.0
    assert interval.low <= 2.0 <= interval.high


def test_an_interval_of_prediction_times_holds_none_that_cannot_be_seen():
    vpt = np.repeat([[4.0], [16.0], [16.0]], 50, axis=1)
    assert prediction_time_interval(vpt).high > 16.0
    interval = prediction_time_interval(vpt, longest=16.0)
    assert (interval.low, interval.median, interval.high) == (0.0, 16.0, 16.0)


def test_seeds_that_agree_on_every_state_are_no_more_certain_than_two_of_them():
    vpt = np.random.default_rng(3).gamma(4.0, size=(1, 50))
    two, five = (prediction_time_interval(np.repeat(vpt, count, axis=0)) for count in (2, 5))
    assert (five.low, five.high) == pytest.approx((two.low, two.high))
    assert two.low < two.median < two.high


def test_one_seed_says_nothing_of_others():
    interval = prediction_time_interval(np.random.default_rng(3).gamma(4.0, size=(1, 50)))
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize("seeds", few([3, 5, 10], 0))
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.2, 1.0])
def test_the_interval_of_a_prediction_time_covers_the_median_of_other_seeds_and_states(spread: float, seeds: int):
    rng, truth, inside = np.random.default_rng(seeds), 5.0, []
    for _ in range(200):
        of_states, of_seeds = rng.normal(0, 0.5, (1, 40)), rng.normal(0, spread, (seeds, 1))
        interval = prediction_time_interval(truth + of_states + of_seeds + rng.normal(0, 0.1, (seeds, 40)))
        inside.append(interval.low <= truth <= interval.high)
    assert np.mean(inside) >= 0.91


def test_a_prediction_time_of_one_state_has_no_interval():
    interval = prediction_time_interval(np.array([[1.0], [2.0]]))
    assert interval.median == 1.5
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize(("low", "high", "expected"), [(0.0, 1.0, True), (3.0, 4.0, True), (3.1, 4.0, False)])
def test_intervals_overlap_where_they_share_a_value(low: float, high: float, expected: bool):
    assert Interval(2.0, 1.0, 3.0).overlaps(Interval(low, low, high)) is expected
    assert Interval(low, low, high).overlaps(Interval(2.0, 1.0, 3.0)) is expected


def test_the_summary_takes_medians_of_what_there_is_and_counts_what_failed():
    six: list[float | None] = [3.0, 1.0, 2.0, 4.0, 5.0, 6.0]
    frame = long_form({("Lorenz", "A"): six, ("Lorenz", "B"): [5.0, None, np.inf], ("Lorenz", "C"): [None]})
    table = summary(frame).set_index("learner")
    assert list(table["median"].fillna(-1)) == [3.5, 5.0, -1]
    assert list(table["n"]) == [6, 1, 0]
    assert list(table["failed"]) == [0, 1, 1]
    assert list(table["status"]) == ["ok", "crashed", "crashed"]
    assert (table.loc["A", "low"], table.loc["A", "high"]) == pytest.approx((1 + 5 / 14, 6 - 5 / 14))
    assert table.loc[["B", "C"], ["low", "high"]].isna().all(axis=None)


def test_the_summary_does_not_depend_on_the_order_of_the_trials():
    frame = long_form({(system, learner): [3.0, 1.0, 7.0] for system in "XY" for learner in "AB"})
    keys = ["system", "learner"]
    straight, shuffled = summary(frame), summary(frame.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(
        straight.sort_values(keys, ignore_index=True), shuffled.sort_values(keys, ignore_index=True)
    )


def test_the_longest_prediction_time_has_rank_one_and_ties_share_a_rank():
    frame = long_form({("X", "A"): [5.0, 6.0], ("X", "B"): [9.0, 8.0], ("X", "C"): [6.0, 5.0], ("X", "R"): [99.0]})
    assert ranks(frame, ["A", "B", "C"])["X"].to_dict() == {"A": 2.5, "B": 1.0, "C": 2.5}


def test_of_a_metric_that_is_better_when_lower_the_lowest_has_rank_one():
    frame = long_form({("X", "A"): [5.0], ("X", "B"): [9.0]}, "nrmse", "lower")
    assert ranks(frame, ["A", "B"], "nrmse")["X"].to_dict() == {"A": 1.0, "B": 2.0}


def test_learners_that_failed_share_the_worst_ranks():
    frame = long_form({("X", "A"): [None, None], ("X", "B"): [1.0, 1.0], ("X", "C"): [None, None], ("X", "D"): [0.0]})
    assert ranks(frame, list("ABCD"))["X"].to_dict() == {"A": 3.5, "B": 1.0, "C": 3.5, "D": 2.0}


def test_one_failed_seed_counts_as_worse_than_any_value():
    frame = long_form({("X", "A"): [9.0, 5.0, None], ("X", "B"): [6.0, 6.0, 6.0]})
    assert ranks(frame, ["A", "B"])["X"].to_dict() == {"A": 2.0, "B": 1.0}


def test_mean_ranks_are_those_among_the_learners_that_every_system_has():
    trials = {("X", "A"): 3.0, ("X", "B"): 2.0, ("Y", "A"): 2.0, ("Y", "B"): 1.0, ("Y", "C"): 9.0}
    found = mean_rank(long_form({cell: [value] for cell, value in trials.items()}), ["A", "B", "C"])
    assert found.dropna().to_dict() == {"A": 1.0, "B": 2.0}


def covered(intervals: list[Estimate], truth: float) -> float:
    return float(np.mean([one.low <= truth <= one.high for one in intervals]))


def interquartile_coverage(systems: int, seeds: int, runs: int) -> float:
    """Share of the stratified intervals that hold the interquartile mean of systems of different difficulty."""
    rng, levels = np.random.default_rng(1), np.linspace(0, 1, systems)
    truth = float(interquartile_mean((rng.normal(size=(200_000, systems)) + levels).ravel()))
    draws = (rng.normal(levels[:, None], 1, (systems, seeds)) for _ in range(runs))
    return covered([stratified(list(trials), interquartile_mean) for trials in draws], truth)


def improvement_coverage(systems: int, seeds: int, runs: int) -> float:
    rng, truth = np.random.default_rng(2), float(norm.cdf(0.5 / np.sqrt(2)))
    draws = ((rng.normal(size=(systems, seeds)), rng.normal(0.5, 1, (systems, seeds))) for _ in range(runs))
    return covered([probability_of_improvement(list(one), list(other)) for one, other in draws], truth)


def test_stratified_intervals_cover():
    assert 0.88 <= interquartile_coverage(5, 5, 100) <= 1.0  # three standard errors about 0.95
    assert 0.88 <= improvement_coverage(5, 5, 100) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("systems", "seeds"), [(5, 3), (10, 3), (5, 5), (1, 20)])
def test_the_95_percent_interval_of_an_interquartile_mean_covers_93_to_97_percent(systems: int, seeds: int):
    assert 0.93 <= interquartile_coverage(systems, seeds, 3000) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 7, 8, 11, 20, 41])
def test_the_95_percent_interval_of_a_median_covers_93_to_97_percent(n: int):
    samples = np.random.default_rng(n).exponential(size=(20_000, n))
    low, high = median_interval(samples)
    assert 0.93 <= np.mean((low <= np.log(2)) & (np.log(2) <= high)) <= 0.97


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_intervals_of_means_cover_93_to_97_percent(seeds: int):
    rng = np.random.default_rng(seeds)
    assert 0.93 <= covered([mean_of_seeds(rng.normal(2, 1, seeds)).interval() for _ in range(1500)], 2.0) <= 0.97


def test_what_is_known_of_the_noise_narrows_an_interval_that_still_covers():
    rng = np.random.default_rng(0)
    known = [float(np.std(rng.normal(0, 1, 11), ddof=1)) for _ in range(1500)]
    found = [mean_of_seeds(rng.normal(2, 1, 2), noise, 10).interval() for noise in known]
    assert 0.93 <= covered(found, 2.0) <= 0.97
    assert np.median([one.high - one.low for one in found]) < 4


@pytest.mark.parametrize("seeds", [3, 4])
def test_noise_that_is_known_of_the_same_trials_makes_no_interval_too_narrow(seeds: int):
    """A re-run that has nothing to do with the baseline, whose own trials tell the noise."""
    rng, found = np.random.default_rng(seeds), []
    for _ in range(4000):
        before, after = rng.standard_normal((2, seeds))
        found.append(mean_of_seeds(after - before, np.sqrt(2) * float(before.std(ddof=1)), seeds - 1).interval())
    assert 0.94 <= covered(found, 0.0) <= 0.97


def test_the_mean_over_systems_of_unequal_noise_has_an_interval_that_covers():
    rng, found = np.random.default_rng(1), []
    for _ in range(1500):
        means = [mean_of_seeds(rng.normal(shift, size, 4)) for shift, size in ((1, 0.1), (2, 1.0), (3, 3.0))]
        found.append(mean_over(means).interval())
    assert 0.92 <= covered(found, 2.0) <= 0.98


def test_a_single_seed_has_no_interval_and_no_effect_is_visible():
    mean = mean_of_seeds(np.array([2.0]))
    assert np.isnan(mean.interval().low)
    assert (mean.p_value(), mean.visible(0.05)) == (0.5, np.inf)


# Scores of four and of three runs on two tasks: the worked example in the tests of rliable (Agarwal et al. 2021).
FOUR = np.array([[1, 2], [2, 2], [1, 1], [2, 1]], dtype=float)
THREE = np.array([[1, 1], [2, 2], [3, 3]], dtype=float)


def test_the_interquartile_mean_and_the_probability_of_improvement_are_those_of_a_published_example():
    assert interquartile_mean(FOUR.ravel()) == 1.5
    assert interquartile_mean(THREE.ravel()) == 2.0
    assert probability_of_improvement(list(-FOUR.T), list(-THREE.T)).value == pytest.approx(1 / 3)


def test_a_failed_trial_never_improves_on_one_that_did_not():
    found = probability_of_improvement([np.full(6, np.inf)] * 3, [np.zeros(6)] * 3)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_too_few_trials_have_no_stratified_interval():
    found = stratified([np.array([1.0, 2.0])] * 5, np.mean)
    assert found.value == 1.5
    assert np.isnan([found.low, found.high]).all()
    assert not found.resolved
    assert np.isnan(probability_of_improvement([np.arange(3.0)], [np.arange(3.0)]).low)


def test_intervals_are_the_same_in_every_process_and_narrower_for_more_trials():
    rng = np.random.default_rng(5)
    few, many = ([rng.normal(1, 1, n) for _ in range(5)] for n in (4, 100))
    assert stratified(few, interquartile_mean) == stratified(few, interquartile_mean)
    wide, narrow = (stratified(strata, interquartile_mean) for strata in (few, many))
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)
    assert narrow.resolved


@pytest.mark.parametrize(("n", "known"), [(5, False), (6, True)])
def test_a_median_has_an_interval_from_six_trials_on(n: int, known: bool):
    low, high = median_interval(np.arange(float(n)))
    assert bool(np.isfinite(low)) is known
    assert bool(np.isfinite(high)) is known


def test_the_interval_of_a_median_is_that_of_its_order_statistics():
    """Of ten values, the second and the ninth hold the median with 97.9 %, the third and the eighth with 89.1 %."""
    low, high = median_interval(np.arange(1.0, 11.0))
    assert 2 < low < 3
    assert low + high == pytest.approx(11)


def test_a_diverged_trial_has_an_infinite_loss_and_a_skipped_one_none():
    frame = long_form({("X", "A"): [5.0, 6.0, 7.0]})
    frame["status"] = ["ok", "diverged", "skipped"]
    assert list(losses(frame, "vpt")["loss"]) == [-5.0, np.inf]
    assert list(losses(frame, "vpt")["failed"]) == [False, True]


def test_what_is_best_near_the_truth_loses_by_its_distance_from_it():
    frame = long_form({("X", "A"): [0.7], ("X", "B"): [1.2], ("X", "TrueEquations"): [1.0]}, "roughness", "truth")
    assert list(losses(frame, "roughness")["loss"]) == pytest.approx([0.3, 0.2, 0.0])
    assert ranks(frame, ["A", "B"], "roughness")["X"].to_dict() == {"A": 2.0, "B": 1.0}


def test_the_mean_rank_of_the_table_is_that_of_the_ranking():
    frame = long_form(
        {(system, one): [None, None] for system in "XYZ" for one in "AB"}
        | {("X", "C"): [1.0], ("Y", "C"): [2.0], ("Z", "C"): [1.0]}
    )
    assert mean_rank(frame, list("ABC")).to_dict() == ranking(frame, list("ABC")).mean_ranks.to_dict()
