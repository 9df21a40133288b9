"""Rankings: published examples, false alarms no more often than stated, failures at the worst rank, ties unresolved."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from results.statistics.ranking import (
    level_by_seeds,
    mean_rank,
    paired_losses,
    performance_profile,
    rank_table,
    ranking,
    ranks,
    win_matrix,
)
from results.statistics.saturation import saturated
from results.statistics.significance import critical_difference, friedman, holm, signed_ranks
from results.statistics.trials import endings
from tests.support.synthetic import long_form

# Area under the curve of C4.5 without and with two parameters tuned, on 14 data sets: Demsar 2006, table 6. There the
# last two of the voting data are rounded to the same 0.975, but ranked apart.
DEMSAR = pd.DataFrame(
    [
        (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
        (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
        (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
        (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.975, 0.9749), (0.957, 0.978, 0.946, 0.970),
    ],
    columns=["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"],
)  # fmt: skip


def test_mean_ranks_and_friedmans_test_are_those_of_the_published_example():
    found = rank_table(-DEMSAR)
    np.testing.assert_allclose(found.mean_ranks[DEMSAR.columns], [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    uncorrected = 12 * 14 / (4 * 5) * ((found.mean_ranks**2).sum() - 4 * 5**2 / 4)
    assert uncorrected == pytest.approx(9.28, abs=0.005)  # as published, which leaves ties uncorrected
    assert found.statistic == pytest.approx(stats.friedmanchisquare(*DEMSAR.to_numpy().T).statistic)
    ratio = 13 * found.statistic / (14 * 3 - found.statistic)
    assert found.p == pytest.approx(stats.f.sf(ratio, 3, 39))
    assert found.p < 0.05


def test_critical_differences_are_those_of_the_published_example():
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)
    assert critical_difference(2, 6) * np.sqrt(6) == pytest.approx(1.960, abs=5e-4)  # q of table 5, two classifiers
    assert critical_difference(10, 6) / np.sqrt(110 / 36) == pytest.approx(3.164, abs=5e-4)


def test_nemenyis_test_is_not_powerful_enough_to_resolve_the_published_example():
    found = rank_table(-DEMSAR)
    assert found.groups == [("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")]
    assert set(found.places.values()) == {1}
    assert "mean ranks closer than 1.25 are unresolved. No learner is resolved from another" in found.statement


def test_p_values_of_pairs_are_those_of_studentized_ranges():
    found = rank_table(-DEMSAR)
    gaps = np.abs(np.subtract.outer(found.mean_ranks.to_numpy(), found.mean_ranks.to_numpy()))
    theirs = stats.studentized_range.sf(gaps * np.sqrt(2) / np.sqrt(4 * 5 / (6 * 14)), 4, np.inf)
    np.testing.assert_allclose(found.p_values, theirs, atol=1e-6)


TIED = pd.DataFrame([[1.0] * 4] * 2 + [[1.0, 2.0, 3.0, 4.0]] * 3 + [[1.0, 2.0, 4.0, 3.0]], columns=list("ABCD"))


@pytest.mark.parametrize(
    "table", [TIED, -DEMSAR, TIED.replace(4.0, np.inf)], ids=["two blocks tied", "few", "failures"]
)
def test_friedmans_statistic_is_corrected_for_ties_as_in_scipy(table: pd.DataFrame):
    expected = stats.friedmanchisquare(*table.rank(axis="columns").to_numpy().T).statistic
    assert friedman(table)[0] == pytest.approx(expected)


def test_blocks_in_which_all_are_alike_do_not_hide_a_difference_in_the_others():
    assert rank_table(TIED).p < 0.05
    assert np.isnan(friedman(pd.DataFrame(np.ones((6, 4))))[0])
    assert friedman(pd.DataFrame(np.ones((6, 4))))[1] == 1.0


def test_tied_blocks_leave_the_rate_of_false_alarms_where_it_is_stated():
    rng = np.random.default_rng(1)
    tables = (pd.DataFrame(np.vstack([np.ones((2, 7)), rng.normal(size=(4, 7))])) for _ in range(1000))
    alarms = np.mean([friedman(table)[1] <= 0.05 for table in tables])
    assert 0.02 <= alarms <= 0.08


def test_signed_ranks_are_those_of_the_published_example():
    difference = (DEMSAR["C4.5+m"] - DEMSAR["C4.5"]).to_numpy()
    test: Any = stats.wilcoxon
    found = test(difference, zero_method="zsplit")
    assert found.statistic == 12.0
    p = signed_ranks(DEMSAR["C4.5+m"].to_numpy(), DEMSAR["C4.5"].to_numpy())
    assert p == found.pvalue
    assert 0.005 < p < 0.05


def test_holms_correction_steps_down():
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.04, 0.5])), [0.09, 0.04, 0.09, 0.5])
    several = np.random.default_rng(0).uniform(0, 0.3, 40).round(2)  # with ties, and some that end above 1
    np.testing.assert_allclose(holm(several), np.asarray(multipletests(several, method="holm")[1]))
    assert len(holm(np.array([]))) == 0


def clear_table(blocks: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({name: rng.uniform(place, place + 0.5, blocks) for place, name in enumerate("ABCD")})


def test_what_differs_on_many_systems_is_resolved_and_ranked():
    found = rank_table(clear_table(40))
    assert found.places == {"A": 1, "B": 2, "C": 3, "D": 4}
    assert found.groups == []
    assert found.statement.endswith("A ahead of B, C and D; B ahead of C and D; C ahead of D.")


def test_of_few_systems_only_far_ranks_are_resolved():
    found = rank_table(clear_table(6))
    assert found.groups == [("A", "B"), ("B", "C"), ("C", "D")]
    assert found.places == {"A": 1, "B": 1, "C": 2, "D": 3}


def test_signed_ranks_resolve_pairs_once_there_are_blocks_enough():
    assert rank_table(clear_table(20), "wilcoxon").places == {"A": 1, "B": 2, "C": 3, "D": 4}
    few = rank_table(clear_table(5), "wilcoxon")
    assert few.places == dict.fromkeys("ABCD", 1)
    assert "no p-value of a pair is below 0.062 before Holm's correction" in few.statement
    assert few.p_values.to_numpy().min() > 0.05


def test_pairs_that_signed_ranks_resolve_beyond_mean_ranks_are_told():
    by_ranks, by_signs = (rank_table(clear_table(8), test) for test in ("nemenyi", "wilcoxon"))
    assert by_ranks.pairs == [("A", "C"), ("A", "D"), ("B", "D")]
    assert by_signs.beyond(by_ranks) == "6 of 6 pairs, further ones being A ahead of B; B ahead of C; C ahead of D"
    assert by_signs.beyond(by_signs) == "6 of 6 pairs"
    assert rank_table(clear_table(1)).beyond(by_ranks) == "0 of 6 pairs"


def test_one_system_resolves_nothing():
    found = rank_table(clear_table(1))
    assert found.p == 1.0
    assert found.groups == [("A", "B", "C", "D")]


def test_an_unknown_test_of_pairs_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="choose from nemenyi, wilcoxon"):
        rank_table(clear_table(5), "duel")


def test_complete_agreement_has_no_probability_of_chance():
    statistic, p = friedman(pd.DataFrame([[1.0, 2.0, 3.0]] * 10))
    assert statistic == pytest.approx(20.0)
    assert p == 0.0


def false_alarms(blocks: int, learners: int, runs: int, test: str, seed: int = 0) -> float:
    """Share of rankings of equal learners in which any pair is resolved; systems differ in difficulty and spread."""
    rng, alarms = np.random.default_rng(seed), 0
    for _ in range(runs):
        noise = rng.standard_t(3, (blocks, learners)) * rng.lognormal(0, 1, (blocks, 1))
        found = rank_table(
            pd.DataFrame(noise + rng.normal(0, 3, (blocks, 1)), columns=list("ABCDEFG")[:learners]), test
        )
        alarms += len(found.groups) != 1 or len(found.groups[0]) != learners
    return alarms / runs


@pytest.mark.parametrize("test", ["nemenyi", "wilcoxon"])
@pytest.mark.parametrize("blocks", [5, 20])
def test_equal_learners_are_ranked_in_at_most_five_percent_of_runs(blocks: int, test: str):
    assert false_alarms(blocks, 4, 60, test) <= 0.10  # three standard errors above 0.03


@pytest.mark.slow
@pytest.mark.parametrize("test", ["nemenyi", "wilcoxon"])
@pytest.mark.parametrize(("blocks", "learners"), [(5, 7), (10, 4), (20, 7), (40, 3)])
def test_the_false_alarm_rate_of_the_ranking_is_at_most_five_percent(blocks: int, learners: int, test: str):
    assert false_alarms(blocks, learners, 1500, test, seed=1) <= 0.05 + 1.64 * np.sqrt(0.05 * 0.95 / 1500)


def test_failed_trials_have_the_worst_rank_and_are_counted():
    frame = long_form({(system, one): [1.0 + place] * 3 for system in "XYZ" for place, one in enumerate("AB")})
    broken = long_form({(system, "C"): [9.0, None, None] for system in "XYZ"})
    found = ranking(pd.concat([frame, broken]), list("ABC"))
    assert found.learners == ["B", "A", "C"]
    assert found.failed == {"C": 6}


def test_a_trial_that_diverged_is_the_worst_whatever_it_measured():
    frame = long_form({(system, one): [value] * 3 for system in "XY" for one, value in (("A", 1.0), ("B", 9.0))})
    frame.loc[frame["learner"] == "B", "status"] = "diverged"
    assert ranking(frame, ["A", "B"]).mean_ranks.to_dict() == {"A": 1.0, "B": 2.0}


def test_a_trial_fails_in_the_horizon_of_a_metric_alone():
    """The second best forecasts keep their rank though a long run overflows; what has no value since then is worst."""
    values = {"A": (9.0, 0.1), "B": (8.0, None), "C": (1.0, 0.3)}
    short = long_form({(system, one): [vpt] * 3 for system in "XYZ" for one, (vpt, _) in values.items()})
    long = long_form(
        {(system, one): [d_stsp] * 3 for system in "XYZ" for one, (_, d_stsp) in values.items()}, "d_stsp", "lower"
    )
    frame = pd.concat([short, long.replace("crashed", "diverged")], ignore_index=True)
    assert ranking(frame, list("ABC")).mean_ranks.to_dict() == {"A": 1.0, "B": 2.0, "C": 3.0}
    assert ranking(frame, list("ABC"), "d_stsp").mean_ranks.to_dict() == {"A": 1.0, "C": 2.0, "B": 3.0}
    assert ranking(frame, list("ABC"), "d_stsp").failed == {"B": 9}
    ended = endings(frame)
    assert len(ended) == 27
    assert set(ended["status"]) == {"ok"}


def test_a_value_that_nothing_defines_is_no_failure():
    frame = long_form({(system, one): [1.0, 2.0] for system in "XYZ" for one in "ABC"}, "zero_one_k", "lower")
    frame.loc[(frame["learner"] == "B") & (frame["system"] == "X"), "value"] = np.nan
    found = ranking(frame, list("ABC"), "zero_one_k")
    assert (found.left_out, found.failed) == (("B",), {})


def saturated_frame(capped: float = 1.0, with_error: bool = True) -> pd.DataFrame:
    """On X every prediction is as long as the horizon, and A has the least error; on Y and Z C predicts longest."""
    times = {("X", one): [16.0] * 3 for one in "ABC"}
    times |= {(system, one): [1.0 + place] * 3 for system in "YZ" for place, one in enumerate("ABC")}
    shares = {place: [capped if place[0] == "X" else 0.0] * 3 for place in times}
    errors = {place: [0.01 * (1 + "ABC".index(place[1]))] * 3 for place in times}
    parts = [long_form(times), long_form(shares, "vpt_capped"), long_form(errors, "nrmse", "lower")]
    return pd.concat(parts[: 2 + with_error], ignore_index=True)


def test_where_all_reach_the_horizon_learners_are_ranked_by_error():
    frame = saturated_frame()
    assert saturated(frame, list("ABC")) == ["X"]
    table = ranks(frame, list("ABC"))
    assert table["X"].to_dict() == {"A": 1.0, "B": 2.0, "C": 3.0}
    assert table["Y"].to_dict() == {"A": 3.0, "B": 2.0, "C": 1.0}
    found = ranking(frame, list("ABC"))
    assert found.mean_ranks.to_dict() == pytest.approx({"C": 5 / 3, "B": 2.0, "A": 7 / 3})
    assert found.mean_ranks.to_dict() == pytest.approx(mean_rank(frame, list("ABC")).to_dict())
    assert found.statement.startswith(
        "On X the median VPT of every compared learner is the horizon: ranked there by NRMSE. With 3 systems"
    )


def test_where_all_reach_the_horizon_and_errors_are_not_known_the_system_is_left_out():
    found = ranking(saturated_frame(with_error=False), list("ABC"))
    assert (found.blocks, found.mean_ranks.to_dict()) == (2, {"C": 1.0, "B": 2.0, "A": 3.0})
    assert "left out of ranks" in found.statement


def test_a_system_is_not_saturated_where_half_of_the_forecasts_or_one_learner_fall_short():
    assert saturated(saturated_frame(capped=0.5), list("ABC")) == []
    frame = saturated_frame()
    frame.loc[(frame["system"] == "X") & (frame["learner"] == "B") & (frame["seed"] < 2), "status"] = "diverged"
    assert saturated(frame, list("ABC")) == []
    assert ranks(frame, list("ABC"))["X"].to_dict() == {"A": 1.5, "B": 3.0, "C": 1.5}
    assert saturated(frame, list("AC")) == ["X"]


def test_prediction_times_near_zero_are_resolved_from_long_ones_though_their_ratios_scatter():
    values = {("Rossler", "NeuralODE"): [4.46, 4.56, 4.91], ("Rossler", "Elman"): [0.22, 1.11, 0.11]}
    assert level_by_seeds(long_form(values), ["NeuralODE", "Elman"]) == {"vpt": {"NeuralODE"}}


def test_a_skipped_learner_is_left_out_and_does_not_count():
    frame = long_form({(system, one): [1.0] for system in "XY" for one in "ABC"})
    frame.loc[(frame["learner"] == "C") & (frame["system"] == "X"), "status"] = "skipped"
    found = ranking(frame, list("ABC"))
    assert found.left_out == ("C",)
    assert found.learners == ["A", "B"]


def test_seeds_add_no_blocks():
    frame = long_form({(system, one): [1.0 + place] * 50 for system in "XYZ" for place, one in enumerate("AB")})
    found = ranking(frame, ["A", "B"])
    assert found.blocks == 3
    assert not found.resolved("A", "B")


def test_wins_count_pairs_and_ties_count_half():
    table = pd.DataFrame({"A": [1.0, 2.0, 3.0, np.inf], "B": [2.0, 2.0, 1.0, np.inf], "C": [5.0, np.nan, 5.0, 5.0]})
    wins = win_matrix(table)
    assert wins.loc["A", "B"] == pytest.approx((1 + 0.5 + 0 + 0.5) / 4)
    assert wins.loc["B", "A"] == pytest.approx(0.5)
    assert wins.loc["A", "C"] == pytest.approx(2 / 3)
    assert np.isnan(wins.loc["A", "A"])


def test_trials_are_paired_by_system_and_seed():
    frame = long_form({("X", "A"): [1.0, 4.0], ("X", "B"): [3.0, 2.0], ("Y", "A"): [5.0]})
    table = paired_losses(frame, ["B", "A"])
    assert table.loc[("X", 1)].to_dict() == {"B": -2.0, "A": -4.0}
    assert np.isnan(table.loc[("Y", 0), "B"])


def test_a_performance_profile_counts_trials_near_the_best():
    table = pd.DataFrame({"A": [1.0, 1.0, np.inf], "B": [2.0, 4.0, 3.0]})
    found = performance_profile(table, [1.0, 2.0, 4.0]).pivot(index="learner", columns="ratio", values="share")
    np.testing.assert_allclose(found.loc["A"], [2 / 3, 2 / 3, 2 / 3])
    np.testing.assert_allclose(found.loc["B"], [1 / 3, 2 / 3, 1.0])


def test_a_performance_profile_of_negative_losses_is_refused():
    with pytest.raises(ValueError, match="needs positive losses"):
        performance_profile(pd.DataFrame({"A": [-1.0]}), [1.0])


def test_a_learner_whose_mean_is_the_better_one_is_not_behind_the_best_median():
    """Six seeds of A are a little better than B's, and five far worse: B is not resolved as the worse one."""
    values = {("X", "A"): [0.99, 0.991, 0.992, 0.993, 0.994, 0.995, 3.0, 3.1, 3.2, 3.3, 3.4],
              ("X", "B"): [*np.linspace(1.0, 1.01, 11)]}  # fmt: skip
    assert level_by_seeds(long_form(values, "nrmse", "lower"), ["A", "B"]) == {"nrmse": {"A", "B"}}


def test_equal_learners_are_seldom_resolved_though_the_best_is_chosen_among_many():
    rng, alarms, names = np.random.default_rng(0), 0, [f"L{place}" for place in range(12)]
    for _ in range(100):
        values = {("X", name): [*np.exp(rng.standard_normal(10))] for name in names}
        alarms += len(level_by_seeds(long_form(values, "nrmse", "lower"), names)["nrmse"]) < len(names)
    assert alarms <= 9  # of which 5 are expected at the most; more than 9 by chance in 3 % of cases
