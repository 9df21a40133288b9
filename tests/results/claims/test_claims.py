"""Claims: what results must show for each to be supported or refuted, and when nothing can be said."""

from dataclasses import replace
from importlib import import_module
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from results.claims.base import (
    Claim,
    ClaimVerdict,
    Effect,
    by_system,
    claims_table,
    effect,
    interval,
    judged,
    together,
)
from results.claims.literature import CLAIMS as EVERY
from tests.support.synthetic import with_parsed_labels

CLAIMS = [claim for claim in EVERY if claim.suite == "images"]
ADAMS = "ODENetClassifier[solver=adams]"
FINE = "ODENetClassifier[tolerance=1e-05]"
ERRORS = {"ResNetClassifier": 1.0, "ODENetClassifier": 1.1, "RKNetClassifier": 0.9, "MLPClassifier": 3.0}
ERRORS |= {ADAMS: 9.0, FINE: 8.0}
NAMES = ["D0", "D1", "D2", "D3", "D4", "D5", "D6", "D5 (Adams)", "D6 (fine)"]
SIZES = {"ResNetClassifier": 600.0, "ODENetClassifier": 220.0, "RKNetClassifier": 220.0}
HOLDS = {
    "test_error": ERRORS,
    "parameters": SIZES,
    "memory_power": {"ODENetClassifier": 0.0, "RKNetClassifier": 0.95, ADAMS: 0.7},
    "error_power": {"ODENetClassifier": -3.0, ADAMS: 1.0},
    "time_power": {"ODENetClassifier": 1.02},
    "backward_ratio": {"ODENetClassifier": 0.5, ADAMS: 0.6},
    "nfe_growth": {"ODENetClassifier": 1.4, FINE: 1.3},
}


def frame(seeds: int = 5, **changes: dict[str, float]) -> pd.DataFrame:
    """The long form of a run in which values scatter by 1 % over seeds."""
    found = pd.DataFrame(
        [
            {
                "system": "Digits",
                "learner": f"{kind.removesuffix(']')}{',' if ']' in kind else '['}width=16]",
                "seed": seed,
                "metric": metric,
            }
            | {"value": value * (1 + 0.01 * (seed - (seeds - 1) / 2))}
            for metric, values in (HOLDS | changes).items()
            for kind, value in values.items()
            for seed in range(seeds)
        ]
    )
    return with_parsed_labels(found)


def verdicts(found: pd.DataFrame) -> dict[str, str]:
    return {claim.name: result.verdict for claim, result in judged(CLAIMS, found, "images")}


def test_claims_that_hold_are_supported_each_with_its_interval():
    found = judged(CLAIMS, frame(), "images")
    assert {claim.name: result.verdict for claim, result in found} == dict.fromkeys(NAMES, "supported")
    assert all(result.low <= result.size <= result.high for _, result in found)


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        ("D0", {"test_error": ERRORS | {"MLPClassifier": 1.2}}),
        ("D1", {"test_error": ERRORS | {"ODENetClassifier": 2.0}}),
        ("D1", {"parameters": SIZES | {"RKNetClassifier": 500.0}}),
        ("D2", {"memory_power": {"ODENetClassifier": 0.5, "RKNetClassifier": 0.95}}),
        ("D2", {"memory_power": {"ODENetClassifier": 0.0, "RKNetClassifier": 0.2}}),
        ("D3", {"error_power": {"ODENetClassifier": 0.1}}),
        ("D4", {"time_power": {"ODENetClassifier": 2.0}}),
        ("D5", {"backward_ratio": {"ODENetClassifier": 1.0, ADAMS: 0.6}}),
        ("D5 (Adams)", {"backward_ratio": {"ODENetClassifier": 0.5, ADAMS: 1.0}}),
        ("D6", {"nfe_growth": {"ODENetClassifier": 0.9, FINE: 1.3}}),
        ("D6 (fine)", {"nfe_growth": {"ODENetClassifier": 1.4, FINE: 0.9}}),
    ],
)
def test_a_claim_is_refuted_by_results_outside_of_its_range(claim, changes):
    expected = dict.fromkeys(NAMES, "supported") | {claim: "refuted"}
    assert verdicts(frame(**changes)) == expected


def test_an_interval_across_the_edge_decides_nothing():
    assert verdicts(frame(time_power={"ODENetClassifier": 1.15}))["D4"] == "inconclusive"


def test_evaluations_that_grow_by_a_few_percent_do_not_grow_to_speak_of():
    for last, verdict in ((0.9, "refuted"), (1.0, "no difference"), (1.02, "no difference"), (1.1, "supported")):
        assert verdicts(frame(nfe_growth={"ODENetClassifier": last}))["D6"] == verdict


@pytest.mark.parametrize("found", [frame(seeds=1), frame().assign(value=np.nan), frame().iloc[:0]])
def test_what_was_not_measured_is_inconclusive_and_says_so(found):
    for claim, result in judged(CLAIMS, found, "images"):
        assert (claim.name, result.verdict) == (claim.name, "inconclusive")
        assert result.reason.startswith("not tested: ")
        assert "two are needed" in result.reason


def test_a_comparison_is_between_trials_of_the_same_seed():
    found = frame(test_error={"ResNetClassifier": 1.0, "ODENetClassifier": 1.0, "RKNetClassifier": 1.0})
    kept = ~((found["metric"] == "test_error") & (found["seed"] == 0) & found["learner"].str.startswith("ODE"))
    found = found.loc[kept]
    (first, result) = judged(CLAIMS, found, "images")[1]
    assert (first.name, result.size, result.verdict) == ("D1", 0.0, "supported")


def test_no_claim_is_about_another_suite():
    assert judged(CLAIMS, frame(), "chaos") == []
    other = replace(CLAIMS[0], suite="chaos")
    assert [claim for claim, _ in judged([other], frame(), "chaos")] == [other]


@pytest.mark.parametrize("claim", EVERY, ids=lambda claim: claim.name)
def test_the_suite_of_a_claim_measures_what_it_is_about(claim: Claim):
    suite = import_module(f"bench.suites.{claim.suite}").suite
    found = pd.DataFrame(
        [
            {"system": cell.system_label, "learner": cell.learner_label, "seed": seed, "metric": metric.name}
            | {
                "value": (1 + 0.01 * seed) * (metric.name != "unbounded_fraction"),
                "better": metric.better,
                "status": "ok",
            }
            for cell in suite.cells()
            for metric in cell.metrics
            for seed in range(3)
        ]
    )
    ((_, result),) = judged([claim], with_parsed_labels(found), claim.suite)
    assert result.reason == ""
    assert np.isfinite(result.size)


def test_the_interval_is_that_of_student():
    values = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    half = 2.7764 * 3.5355 / 5**0.5  # quantile for four degrees of freedom, and standard deviation
    assert interval(values) == pytest.approx((4 - half, 4 + half), rel=1e-3)
    assert interval(np.ones(3)) == (1, 1)


@pytest.mark.parametrize(("seeds", "verdict"), [(3, "inconclusive"), (20, "supported")])
def test_missing_seeds_are_left_out_of_an_effect_and_counted(seeds: int, verdict: str):
    index = pd.MultiIndex.from_product([["X"], range(seeds)], names=["system", "seed"])
    found = effect(pd.Series([*np.linspace(1.9, 2.1, seeds - 1), np.nan], index), "units", lowest=0.5)
    assert (found.size, found.unit, found.verdict) == (pytest.approx(2.0), "units", verdict)
    assert (found.seeds, found.lost) == (seeds - 1, 1)


def test_what_a_seed_gives_on_several_systems_is_one_replicate():
    """Seeds that scatter far more than systems: six trials of two seeds are no more evidence than two values."""
    index = pd.MultiIndex.from_product([["X", "Y", "Z"], range(2)], names=["system", "seed"])
    found = effect(pd.Series([1.0, 3.0, 1.1, 3.1, 0.9, 2.9], index), "units", lowest=0.5)
    assert (found.size, found.low, found.high) == pytest.approx((2.0, *interval(np.array([1.0, 3.0]))))
    assert found.verdict == "inconclusive"


@pytest.fixture(scope="module")
def whole_runs() -> dict[str, pd.DataFrame]:
    """Synthetic results of every suite that a claim is about: some values are missing, and zero, and some failed."""
    found = {}
    for name in {claim.suite for claim in EVERY}:
        suite = import_module(f"bench.suites.{name}").suite
        trials = [
            {"system": cell.system_label, "learner": cell.learner_label, "seed": seed, "metric": metric.name}
            | {
                "value": (1 + 0.01 * seed) * (metric.name != "unbounded_fraction"),
                "better": metric.better,
                "status": "ok",
            }
            for cell in suite.cells()
            for metric in cell.metrics
            for seed in range(3)
        ]
        found[name] = with_parsed_labels(pd.DataFrame(trials))
    return found


@given(data=strategies.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_part_of_a_run_gives_verdicts_or_says_what_was_not_tested(whole_runs: dict, data: strategies.DataObject):
    suite = data.draw(strategies.sampled_from(sorted(whole_runs)))
    frame = whole_runs[suite]
    for name in ("system", "learner", "metric", "seed"):
        every = list(dict.fromkeys(frame[name]))
        kept = data.draw(strategies.sets(strategies.sampled_from(every)), label=name)
        frame = frame.loc[frame[name].isin(kept or every[:1])]
    damage = data.draw(strategies.sampled_from([None, np.nan, 0.0]))
    if damage is not None and len(frame):
        frame = frame.assign(value=frame["value"].where(frame["seed"] != frame["seed"].max(), damage))
    for claim, found in judged(EVERY, frame, suite):
        told = np.isfinite([found.size, found.low, found.high]).all()
        assert told != found.in_words.startswith("not tested: "), (claim.name, found)
        assert found.verdict in (get_args(ClaimVerdict) if told else ("inconclusive",))
        assert "Error: " not in found.in_words


def test_a_test_that_breaks_down_costs_its_own_claim_alone():
    def divide(_: pd.DataFrame) -> Effect:
        raise ZeroDivisionError("nobody was measured")

    broken = replace(CLAIMS[0], test=divide)
    (_, lost), (_, sound) = judged([broken, CLAIMS[1]], frame(), "images")
    assert (lost.verdict, lost.reason) == ("inconclusive", "not tested: ZeroDivisionError: nobody was measured")
    assert sound.verdict == "supported"


def test_the_verdict_on_collapse_names_the_model_that_it_tested():
    (claim,) = [claim for claim in EVERY if claim.name == "C2 (ours)"]
    values = {"fixed_point_fraction": 0.0, "limit_cycle_fraction": 0.1, "chaos_fraction": 1.0}
    found = pd.DataFrame(
        [
            {"system": "Lorenz", "learner": learner, "seed": seed, "metric": metric, "value": value}
            for learner in ("WindowedRNN[cell=rnn]", "WindowedRNN[cell=lstm]", "NeuralODE")
            for metric, value in values.items()
            for seed in range(3)
        ]
    )
    ((_, effect),) = judged([claim], with_parsed_labels(found), "chaos")
    assert effect.verdict == "refuted"
    assert (
        effect.in_words
        == "0.100 of the long runs of WindowedRNN[cell=rnn] end in rest or a cycle [0.100, 0.100] (refuted); "
        "1.00 of the long runs of NeuralODE are chaotic [1.00, 1.00] (supported); 3 seeds"
    )


def test_the_weakest_part_decides_a_claim_of_several():
    ends: list[tuple[str, Any]] = [("a", "supported"), ("b", "inconclusive"), ("c", "no difference"), ("d", "refuted")]
    parts = [Effect(0, 0, 0, name, verdict) for name, verdict in ends]
    found = [together(parts[:n]) for n in (1, 2, 3, 4)]
    assert [(each.unit, each.verdict) for each in found] == ends
    assert [part.unit for part in found[-1].parts] == ["d", "c", "b", "a"]


def test_every_part_is_told_with_its_verdict_the_one_that_decides_first():
    lorenz = Effect(-0.167, -0.179, -0.154, "decades on Lorenz", "refuted", seeds=10)
    prey = Effect(-1.14, -1.21, -1.07, "decades on LotkaVolterra", "supported", seeds=10)
    assert together([prey, lorenz]).in_words == (
        "-0.167 decades on Lorenz [-0.179, -0.154] (refuted); "
        "-1.14 decades on LotkaVolterra [-1.21, -1.07] (supported); 10 seeds"
    )
    assert together([together([prey, lorenz])]).parts == (lorenz, prey)
    assert together([prey]) == prey
    assert prey.in_words == "-1.14 decades on LotkaVolterra [-1.21, -1.07], 10 seeds"


def test_no_part_is_open_behind_the_one_that_decides_without_being_told():
    """Alike on one system, and on another unknown: trials of too many seeds failed."""
    index = pd.MultiIndex.from_product([["X", "Y"], range(5)], names=["system", "seed"])
    values = pd.Series([*np.linspace(-0.01, 0.01, 5), *np.linspace(-0.01, 0.01, 4), np.nan], index)
    found = by_system(values, lambda mine, system: effect(mine, f"decades on {system}", highest=0.0, alike=0.1))
    alike, failed = found.in_words.split("; ")
    assert found.verdict == "no difference"
    assert alike.startswith("0 decades on X")
    assert alike.endswith("5 seeds (no difference)")
    assert failed.endswith("4 seeds, some trial of 1 failed (inconclusive)")
    claim = replace(CLAIMS[0], test=lambda _: found)
    assert claims_table(judged([claim], frame(), "images"))["measured"].tolist() == [found.in_words]


def test_a_part_that_was_not_tested_is_told_beside_those_that_were():
    index = pd.MultiIndex.from_product([["X"], range(3)], names=["system", "seed"])
    tested, missing = (
        effect(pd.Series([1.0, 1.1, 1.2], index), "units, A", 2.0),
        effect(pd.Series([], index[:0]), "units, B", 2.0),
    )
    assert together([missing, tested]).in_words == (
        "1.10 units, A [0.852, 1.35], 3 seeds (refuted); "
        'not tested: measured for 0 seeds, and two are needed, for "units, B"'
    )
    assert together([missing, missing]) == missing


def test_a_quick_look_decides_none_of_the_parts():
    ((_, found),) = judged([CLAIMS[1]], frame(), "images", "quick")
    assert {part.verdict for part in (found, *found.parts)} == {"inconclusive"}
    assert found.in_words.count("(budget quick: not decided)") == len(found.parts) == 4


def test_the_table_of_claims_has_a_row_for_each():
    table = claims_table(judged(CLAIMS, frame(), "images"))
    assert list(table["claim"]) == NAMES
    assert list(table.columns) == [
        "claim",
        "statement",
        "conditions",
        "verdict",
        "measured",
        "effect",
        "low",
        "high",
        "seeds",
        "unit",
        "reason",
        "source",
    ]
