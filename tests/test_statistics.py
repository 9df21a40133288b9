"""Statistics: intervals that cover, summaries that count failures, ranks that punish them."""

import numpy as np
import pandas as pd
import pytest

from results.statistics import Interval, mean_rank, median_interval, prediction_time_interval, ranks, summary


def long_form(values: dict[tuple[str, str], list[float | None]], metric: str = "vpt", better: str = "higher"):
    """The long form of trials of one metric: by system and learner the values of the seeds, None where one crashed."""
    return pd.DataFrame(
        [
            {
                "system": system, "learner": learner, "seed": seed, "metric": metric, "value": value, "unit": "s",
                "better": better, "status": "crashed" if value is None else "ok",
            }
            for (system, learner), seeds in values.items()
            for seed, value in enumerate(seeds)
        ]
    ).astype({"value": float})  # fmt: skip


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


def test_seeds_that_agree_on_every_state_are_no_more_certain_than_one_of_them():
    vpt = np.random.default_rng(3).gamma(4.0, size=(1, 50))
    assert prediction_time_interval(np.repeat(vpt, 5, axis=0)) == prediction_time_interval(vpt)


def test_a_prediction_time_of_one_state_has_no_interval():
    interval = prediction_time_interval(np.array([[1.0], [2.0]]))
    assert interval.median == 1.5
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize(("low", "high", "expected"), [(0.0, 1.0, True), (3.0, 4.0, True), (3.1, 4.0, False)])
def test_intervals_overlap_where_they_share_a_value(low: float, high: float, expected: bool):
    assert Interval(2.0, 1.0, 3.0).overlaps(Interval(low, low, high)) is expected
    assert Interval(low, low, high).overlaps(Interval(2.0, 1.0, 3.0)) is expected


def test_the_summary_takes_medians_of_what_there_is_and_counts_what_failed():
    frame = long_form({("Lorenz", "A"): [3.0, 1.0, 2.0], ("Lorenz", "B"): [5.0, None, np.inf], ("Lorenz", "C"): [None]})
    table = summary(frame).set_index("learner")
    assert list(table["median"].fillna(-1)) == [2.0, 5.0, -1]
    assert list(table["n"]) == [3, 1, 0]
    assert list(table["failed"]) == [0, 1, 1]
    assert list(table["status"]) == ["ok", "crashed", "crashed"]
    assert (table.loc["A", "low"], table.loc["A", "high"]) == (1.0, 3.0)
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


def test_learners_that_failed_share_the_worst_rank():
    frame = long_form({("X", "A"): [None, None], ("X", "B"): [1.0, 1.0], ("X", "C"): [None, None], ("X", "D"): [0.0]})
    assert ranks(frame, list("ABCD"))["X"].to_dict() == {"A": 4.0, "B": 1.0, "C": 4.0, "D": 2.0}


def test_one_failed_seed_counts_as_worse_than_any_value():
    frame = long_form({("X", "A"): [9.0, 5.0, None], ("X", "B"): [6.0, 6.0, 6.0]})
    assert ranks(frame, ["A", "B"])["X"].to_dict() == {"A": 2.0, "B": 1.0}


def test_the_mean_rank_is_taken_over_the_systems_that_a_learner_ran_on():
    frame = long_form({("X", "A"): [1.0], ("X", "B"): [2.0], ("Y", "A"): [2.0], ("Y", "B"): [1.0], ("Z", "B"): [1.0]})
    assert mean_rank(frame, ["A", "B"]).to_dict() == {"A": 1.5, "B": pytest.approx(4 / 3)}
