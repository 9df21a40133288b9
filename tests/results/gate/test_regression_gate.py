"""The regression gate: what is lost, newly fails or is worse is caught; what is noise is not."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from results.gate import report as check_report
from results.gate.baseline import DEFAULT_TOLERANCE, TOLERANCES, Baseline, BrokenBaselineError
from results.gate.regression import ALARM, Finding, GateResult, check, visible_effects
from results.statistics.scores import scores
from results.store.record import Record
from results.store.run import Run
from tests.support.fake_runs import ENVIRONMENT, LEARNERS, METRICS, SYSTEMS, FakeRun, run_of

TRUE = {"nrmse": 1e-6, "vpt": 16.0, "zero_one_k": 0.99, "parameters": 0.0, "fit_seconds": 0.0}
MEAN = {"nrmse": 0.95, "vpt": 0.1, "zero_one_k": 0.0, "parameters": 3.0, "fit_seconds": 0.0}


def draw(rng: np.random.Generator, seeds: Sequence[int] = range(3), worse: float = 0.0, noise: float = 0.3) -> Run:
    """A run of learners whose results vary from seed to seed; `worse` is the log-ratio of learner B."""
    values = {}
    for system in SYSTEMS:
        for learner in LEARNERS:
            for seed in seeds:
                wobble, bias = np.exp(rng.normal(0, noise, 3)), np.exp(worse if learner == "B" else 0.0)
                own = {
                    "nrmse": 0.1 * bias * wobble[0], "vpt": 5.0 / bias * wobble[1],
                    "zero_one_k": 0.9 + 0.02 * wobble[2],
                    "parameters": 4611.0, "fit_seconds": 3.0 * bias * wobble[2],
                }  # fmt: skip
                values[system, learner, seed] = {"TrainingMean": MEAN, "TrueEquations": TRUE}.get(learner, own)
    return run_of(values, list(seeds))


@pytest.fixture
def run() -> Run:
    return draw(np.random.default_rng(0))


@pytest.fixture
def baseline(run: Run) -> Baseline:
    return Baseline.of_run(run, [draw(np.random.default_rng(1), range(3, 9))])


def edited(run: Run, edit: Callable[[Record], Record | None]) -> Run:
    """The run with every record passed through `edit`, which drops those for which it gives None."""
    given = {key: [new for one in records if (new := edit(one))] for key, records in run.records.items()}
    other = FakeRun(run.folder, run.manifest, run.store)
    other.__dict__["given"] = {key: records for key, records in given.items() if records}
    return other


def under(run: Run, **manifest) -> Run:
    """The same records, as of a run with another manifest."""
    other = FakeRun(run.folder, {**run.manifest, **manifest}, run.store)
    other.__dict__["given"] = run.records
    return other


def scaled(metric: str, learner: str, factor: float) -> Callable[[Record], Record]:
    def edit(record: Record) -> Record:
        return replace(
            record,
            measurements=tuple(
                replace(one, value=one.value * factor)
                if one.value is not None and one.metric == metric and record.learner == learner
                else one
                for one in record.measurements
            ),
        )

    return edit


def places(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    return [(one.system, one.learner, one.metric) for one in findings]


def test_a_run_passes_beside_itself(run: Run, baseline: Baseline):
    found = check(baseline, run)
    assert found.verdict == "pass"
    assert all(finding.equal for finding in found.findings)
    assert found.notes == ()


def test_a_baseline_is_the_same_after_it_was_written(baseline: Baseline, tmp_path: Path):
    baseline.write(tmp_path / "deep" / "toy.json")
    again = Baseline.load(tmp_path / "deep" / "toy.json")
    assert again.content == baseline.content
    pd.testing.assert_frame_equal(again.frame(), baseline.frame())


def test_a_baseline_has_one_line_for_each_metric_of_each_cell(baseline: Baseline, tmp_path: Path):
    baseline.write(tmp_path / "toy.json")
    lines = (tmp_path / "toy.json").read_text().splitlines()
    assert sum('"values": [' in line for line in lines) == len(SYSTEMS) * len(LEARNERS) * len(METRICS)
    assert max(map(len, lines)) < 300


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 99}'])
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, content: str):
    (tmp_path / "toy.json").write_text(content)
    with pytest.raises(BrokenBaselineError, match="save"):
        Baseline.load(tmp_path / "toy.json")


def without(content: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """JSON-ready values without what is at a path."""
    copied = json.loads(json.dumps(content))
    *above, last = path
    del reduce(getitem, above, copied)[last]
    return copied


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (("seeds",), "it lacks seeds"),
        (("environment",), "it lacks environment"),
        (("references",), "it lacks references"),
        (("metrics",), "it lacks metrics"),
        (("cells",), "it lacks cells"),
        (("seeds", -1), "A on Lorenz has 3 outcomes for 2 seeds"),
        (("metrics", "vpt"), "vpt of A on Lorenz is not among its metrics"),
        (("metrics", "vpt", "tolerance"), "metric vpt lacks its unit, better or tolerance"),
        (("cells", 0, "learner"), "its cells are not what a baseline has"),
        (("cells", 0, "status", 0), "A on Lorenz has 2 outcomes for 3 seeds"),
        (("cells", 0, "metrics", "vpt", "repeats"), "vpt of A on Lorenz lacks its values, noise or repeats"),
        (("cells", 0, "metrics", "vpt", "values", 0), "vpt of A on Lorenz has 2 values for 3 seeds"),
    ],
    ids=str,
)
def test_a_baseline_that_lacks_a_part_is_refused_and_the_part_named(
    baseline: Baseline, tmp_path: Path, path: tuple[str | int, ...], fault: str
):
    (tmp_path / "toy.json").write_text(json.dumps(without(dict(baseline.content), *path)))
    with pytest.raises(BrokenBaselineError, match=r"toy\.json holds no baseline") as refused:
        Baseline.load(tmp_path / "toy.json")
    assert f"({fault}); `python -m bench baseline save" in str(refused.value)


@pytest.mark.parametrize(("name", "fault"), [("seeds", "a seed"), ("cells", "a cell")])
def test_a_baseline_that_has_a_seed_or_cell_twice_is_refused(baseline: Baseline, tmp_path: Path, name: str, fault: str):
    content = dict(baseline.content)
    (tmp_path / "toy.json").write_text(json.dumps(content | {name: [*content[name][1:], content[name][1]]}))
    with pytest.raises(BrokenBaselineError, match=f"{fault} is there twice"):
        Baseline.load(tmp_path / "toy.json")


def test_the_noise_is_the_spread_over_the_seeds_of_all_runs():
    base, again = draw(np.random.default_rng(0), noise=0.3), draw(np.random.default_rng(1), range(3, 63), noise=0.3)
    noise = Baseline.of_run(base, [again]).noise().loc[("Lorenz", "A", "nrmse")]
    assert noise["noise"] == pytest.approx(0.3, rel=0.25)
    assert noise["repeats"] == 62


def test_copies_of_the_same_trials_are_no_re_runs(run: Run):
    again = draw(np.random.default_rng(0), range(4))
    assert max(Baseline.of_run(run, [again]).noise()["repeats"]) == 3


def test_a_run_of_another_budget_is_no_re_run(run: Run):
    other = run_of({("Lorenz", "A", 0): {"nrmse": 1.0}}, [0], budget="quick")
    with pytest.raises(BrokenBaselineError, match=r"budget is .quick., not .standard."):
        Baseline.of_run(run, [other])


def test_scores_are_log_ratios_far_above_the_floor_and_differences_below():
    trials = pd.DataFrame(
        {"system": "X", "learner": "A", "seed": range(4), "metric": "nrmse", "status": "ok", "better": "lower"}
    ).assign(value=[0.1, 0.2, 0.0, 1e-9])
    score = scores(trials)["score"].to_numpy()
    assert score[1] - score[0] == pytest.approx(np.log(2), rel=1e-6)
    assert score[3] - score[2] == pytest.approx(1e-5, rel=1e-6)


def test_a_share_of_one_test_case_is_nearly_none():
    trials = pd.DataFrame(
        {"system": "X", "learner": "A", "seed": range(3), "metric": "unbounded_fraction", "status": "ok"}
    ).assign(better="lower", value=[0.0, 1 / 128, 1.0])
    none, one, every = scores(trials)["score"]
    assert one - none == pytest.approx(0.16, abs=0.01)
    assert every - none == pytest.approx(np.log(40), abs=0.01)


def test_a_missing_cell_is_a_regression(run: Run, baseline: Baseline):
    found = check(baseline, edited(run, lambda one: None if (one.system, one.learner) == ("Lorenz", "C") else one))
    assert found.verdict == "regressed"
    assert found.lost == ("C on Lorenz is missing",)


def test_a_missing_seed_is_a_regression_unless_it_was_not_asked_for(run: Run, baseline: Baseline):
    fewer = edited(run, lambda one: None if one.seed == 2 else one)
    assert "C on Lorenz with seed 2 is missing" in check(baseline, fewer).lost
    found = check(baseline, under(fewer, seeds=[0, 1]))
    assert found.verdict == "pass"
    assert found.notes == ("1 of the baseline's 3 seeds were not asked for",)


@pytest.mark.parametrize("status", ["diverged", "crashed", "timeout", "skipped"])
def test_a_newly_failing_trial_is_a_regression(run: Run, baseline: Baseline, status):
    def fail(record: Record) -> Record:
        broken = record.learner == "A" and record.seed == 1
        return replace(record, status=status, reason="it broke") if broken else record

    found = check(baseline, edited(run, fail))
    assert found.verdict == "regressed"
    assert len(found.lost) == len(SYSTEMS)
    assert found.lost[0].startswith("A on Lorenz with seed 1 newly ends as")
    assert found.lost[0].endswith("(it broke)")


def test_what_failed_before_may_fail_again(run: Run):
    failed = edited(run, lambda one: replace(one, status="crashed") if one.learner == "A" else one)
    assert check(Baseline.of_run(failed), failed).verdict == "pass"
    assert check(Baseline.of_run(failed), run).verdict == "pass"


def test_a_metric_without_a_value_is_lost(run: Run, baseline: Baseline):
    def forget(record: Record) -> Record:
        kept = tuple(replace(one, value=None) if one.metric == "nrmse" else one for one in record.measurements)
        return replace(record, measurements=kept) if record.learner == "A" else record

    assert check(baseline, edited(run, forget)).lost == (
        "nrmse of A on Lorenz has no value any more", "nrmse of A on Rossler has no value any more",
    )  # fmt: skip


def test_runs_of_other_data_or_budget_have_nothing_to_compare(run: Run, baseline: Baseline):
    found = check(baseline, under(run, budget="quick", sampling={"step": 0.5}))
    assert not found.comparable
    assert found.differing == ("budget is 'quick', not 'standard'", "sampling step is 0.5, not 0.02")


def test_runs_whose_learners_spend_something_else_alike_have_nothing_to_compare(run: Run):
    kept = Baseline.of_run(under(run, equal="updates", allowance=300.0))
    assert check(kept, under(run, equal="updates", allowance=300.0)).verdict == "pass"
    assert check(kept, under(run, equal="updates", allowance=500.0)).differing == ("allowance is 500.0, not 300.0",)
    assert check(kept, run).differing == ("equal is None, not 'updates'", "allowance is None, not 300.0")


def test_a_field_that_the_baseline_does_not_know_is_no_difference(run: Run, baseline: Baseline):
    assert check(baseline, under(run, sampling={"step": 0.02, "irregular": False})).verdict == "pass"
    older = Baseline({name: value for name, value in baseline.content.items() if name not in ("equal", "allowance")})
    assert check(older, under(run, equal="nfe", allowance=100.0)).verdict == "pass"


def test_a_baseline_is_held_to_the_truth_that_the_run_knows(run: Run):
    knowing = under(run, published={"Lorenz": {"zero_one_k": 0.5}})
    for kept in (Baseline.of_run(run), Baseline.of_run(knowing)):
        found = check(kept, knowing)
        assert found.comparable
        assert all(finding.equal for finding in found.findings)
    changed = check(Baseline.of_run(knowing), under(run, published={"Lorenz": {"zero_one_k": 0.6}}))
    assert changed.differing == ("published Lorenz zero_one_k is 0.6, not 0.5",)


def test_runs_without_a_common_cell_have_nothing_to_compare(baseline: Baseline):
    found = check(baseline, run_of({("Chua", "A", 0): {"nrmse": 1.0}}, [0], systems=["Chua"]))
    assert found.differing == ("no cell of the baseline is in the run",)


def test_a_new_cell_is_noted(run: Run, baseline: Baseline):
    more = edited(run, lambda one: one)
    more.__dict__["given"]["Lorenz-A"] += [replace(one, learner="Z") for one in more.records["Lorenz-A"]]
    found = check(baseline, more)
    assert found.verdict == "pass"
    assert "Z on Lorenz is not in the baseline" in found.notes


def test_what_is_far_worse_has_regressed_and_what_is_far_better_has_not(run: Run, baseline: Baseline):
    worse = check(baseline, edited(run, scaled("nrmse", "B", 4.0)))
    assert places(worse.of("regressed")) == [(system, "B", "nrmse") for system in SYSTEMS]
    assert worse.of("regressed")[0].effect == pytest.approx(np.log(4), rel=1e-3)
    assert check(baseline, edited(run, scaled("nrmse", "B", 0.25))).verdict == "pass"
    assert check(baseline, edited(run, scaled("vpt", "B", 0.2))).verdict == "regressed"
    assert check(baseline, edited(run, scaled("vpt", "B", 5.0))).verdict == "pass"


@pytest.mark.slow
def test_what_is_far_worse_is_caught_however_many_findings_share_the_level():
    names = {f"L{place}": False for place in range(150)}
    metrics = ("nrmse", "vpt")
    values = {
        (system, learner, seed): {"nrmse": 0.1 * (1 + 0.01 * seed), "vpt": 5.0 + 0.1 * seed}
        for system in SYSTEMS
        for learner in names
        for seed in range(3)
    }
    learners = [{"label": name, "reference": False} for name in names]
    kept = Baseline.of_run(run_of(values, range(3), metrics, learners=learners))
    worse = values | {place: one | {"nrmse": 3 * one["nrmse"]} for place, one in values.items() if place[1] == "L7"}
    found = check(kept, run_of(worse, range(3), metrics, learners=learners))
    assert len(found.findings) == 600
    assert places(found.of("regressed")) == [(system, "L7", "nrmse") for system in SYSTEMS]


def test_a_change_that_noise_may_hide_is_inconclusive(run: Run, baseline: Baseline):
    found = check(baseline, edited(run, scaled("nrmse", "B", 1.2)))
    assert places(found.of("inconclusive")) == [(system, "B", "nrmse") for system in SYSTEMS]
    for finding in found.of("inconclusive"):
        assert finding.limit == finding.noise > finding.effect > finding.tolerance
    assert found.verdict == "inconclusive"


def test_what_gives_nearly_the_same_for_every_seed_passes_however_noisy_seeds_are(run: Run, baseline: Baseline):
    def shake(record: Record) -> Record:
        return scaled("nrmse", "B", 1 + 1e-4 * (1 + record.seed))(record)

    found = check(baseline, edited(run, shake))
    assert found.verdict == "pass"
    assert not all(finding.equal for finding in found.findings)


@pytest.mark.slow
def test_a_loss_of_a_fifth_that_three_seeds_cannot_show_is_never_passed():
    rng, verdicts = np.random.default_rng(4), []
    for _ in range(40):
        kept = Baseline.of_run(draw(rng))
        weaker = edited(draw(rng), scaled("vpt", "B", 0.82))
        verdicts += [one.verdict for one in check(kept, weaker).findings if (one.learner, one.metric) == ("B", "vpt")]
    assert verdicts.count("pass") <= 0.05 * len(verdicts)


@pytest.mark.slow
def test_a_loss_of_all_that_is_tolerated_passes_in_two_and_a_half_checks_of_a_hundred():
    """Two intervals are looked at, and the narrower one is taken: together they keep what one of them promises."""
    rng, verdicts, names = np.random.default_rng(9), [], [f"L{index}" for index in range(400)]
    for _ in range(8):
        drawn = [
            {
                (SYSTEMS[0], name, seed): {"nrmse": 0.1 * float(np.exp(loss + rng.normal(0, 0.02)))}
                for name in names
                for seed in range(4)
            }
            for loss in (0.0, TOLERANCES.get("nrmse", DEFAULT_TOLERANCE))
        ]
        kept, worse = (
            run_of(values, range(4), ["nrmse"], learners=[{"label": name, "reference": False} for name in names])
            for values in drawn
        )
        verdicts += [one.verdict for one in check(Baseline.of_run(kept), worse).findings]
    assert len(verdicts) == 3200
    assert 0.005 < verdicts.count("pass") / len(verdicts) < 0.025


def test_a_gain_on_one_system_hides_no_loss_on_another(run: Run, baseline: Baseline):
    def trade(record: Record) -> Record:
        return scaled("vpt", "B", 0.1 if record.system == "Lorenz" else 10.0)(record)

    found = check(baseline, edited(run, trade))
    assert places(found.of("regressed")) == [("Lorenz", "B", "vpt")]


def test_a_gain_on_one_system_dilutes_no_loss_on_another_that_noise_may_hide():
    """As where an Euler network's increments shrink: it forecasts a cycle four times worse, and chaos better."""
    rng, verdicts = np.random.default_rng(6), []

    def trade(record: Record) -> Record:
        return scaled("vpt", "B", 0.25 if record.system == "Lorenz" else 4.0)(record)

    for _ in range(8):
        kept = Baseline.of_run(draw(rng, range(4), noise=0.8), [draw(rng, range(4, 10), noise=0.8)])
        found = check(kept, edited(draw(rng, range(4), noise=0.8), trade))
        verdicts += [one.verdict for one in found.findings if places([one]) == [("Lorenz", "B", "vpt")]]
        assert found.verdict != "pass"
    assert len(verdicts) == 8
    assert "pass" not in verdicts
    assert "inconclusive" in verdicts  # what is tested is that noise hides it


def test_a_loss_too_thin_for_one_system_is_seen_over_many():
    names = [f"S{place}" for place in range(40)]
    rng = np.random.default_rng(1)

    def measured(loss: float) -> Run:
        values = {
            (name, "A", seed): {"vpt": 5.0 * float(np.exp(rng.normal(-loss, 0.2)))}
            for name in names
            for seed in range(3)
        }
        return run_of(values, range(3), ("vpt",), systems=names, learners=[{"label": "A", "reference": False}])

    found = check(Baseline.of_run(measured(0.0)), measured(0.3))
    assert places(found.of("regressed")) == [("all systems", "A", "vpt")]


def sight(baseline: Baseline) -> dict[tuple[str, str, str], float]:
    return {(one.system, one.learner, one.metric): one.effect for one in visible_effects(baseline).itertuples()}  # pyright: ignore[reportAttributeAccessIssue]


def test_a_baseline_says_what_it_can_see(baseline: Baseline):
    sees, noise = sight(baseline), baseline.noise()
    assert {learner for _, learner, _ in sees} == {"A", "B", "C"}
    assert sees["Lorenz", "A", "parameters"] == 0.0
    noisy = sum(noise["noise"][place] > 0 for place in sees)
    spread, repeats = noise["noise"]["Lorenz", "A", "nrmse"], noise["repeats"]["Lorenz", "A", "nrmse"]
    expected = stats.t.ppf(1 - ALARM / noisy, repeats) * spread * np.sqrt(2 / 3)
    assert sees["Lorenz", "A", "nrmse"] == pytest.approx(expected)
    assert sight(Baseline.of_run(draw(np.random.default_rng(0), range(1))))["Lorenz", "A", "nrmse"] == np.inf


def test_what_has_no_noise_is_held_to_the_tolerance_of_its_metric(run: Run, baseline: Baseline):
    found = check(baseline, edited(run, scaled("parameters", "A", 1.001)))
    assert places(found.of("regressed")) == [(system, "A", "parameters") for system in SYSTEMS]


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_a_yardstick_may_change_in_neither_direction(run: Run, baseline: Baseline, factor: float):
    found = check(baseline, edited(run, scaled("nrmse", "TrainingMean", factor)))
    assert places(found.of("regressed")) == [(system, "TrainingMean", "nrmse") for system in SYSTEMS]


def test_an_effect_that_the_seeds_disagree_on_is_inconclusive(run: Run):
    sharp = Baseline.of_run(draw(np.random.default_rng(0), noise=1e-3))
    steady = draw(np.random.default_rng(0), noise=1e-3)

    def shake(record: Record) -> Record:
        return scaled("nrmse", "B", 0.7 if record.seed == 0 else 1.6)(record)

    found = check(sharp, edited(steady, shake))
    assert found.verdict == "inconclusive"
    assert places(found.of("inconclusive")) == [(system, "B", "nrmse") for system in SYSTEMS]


def test_times_are_shown_but_decide_only_within_one_job(run: Run):
    steady = draw(np.random.default_rng(0), noise=1e-3)
    kept = Baseline.of_run(steady, [draw(np.random.default_rng(1), range(3, 9), noise=1e-3)])
    slower = edited(steady, scaled("fit_seconds", "A", 3.0))
    shown = check(kept, slower)
    assert shown.verdict == "pass"
    assert {finding.metric for finding in shown.advisory} == {"fit_seconds"}
    assert "advisory: 2 of" in check_report.text(shown)
    assert places(check(kept, slower, times=True).of("regressed")) == [
        (system, "A", "fit_seconds") for system in SYSTEMS
    ]


def test_times_of_different_machines_are_refused(run: Run, baseline: Baseline):
    moved = under(run, environment={**ENVIRONMENT, "processor": "Other"})
    with pytest.raises(ValueError, match="never compared across environments, and these differ in processor"):
        check(baseline, moved, times=True)
    assert check(baseline, moved).notes == ("the environments differ in processor: rounding may differ",)


def alarms(runs: int, seed: int, seeds: int = 3) -> int:
    """How many of so many re-runs, all drawn anew, are called regressed."""
    rng = np.random.default_rng(seed)
    kept = Baseline.of_run(draw(rng, range(seeds)), [draw(rng, range(seeds, seeds + 5))])
    return sum(check(kept, draw(rng, range(seeds))).verdict == "regressed" for _ in range(runs))


def test_twenty_re_runs_raise_no_alarm():
    assert alarms(20, seed=5) == 0


def still(run: Run, system: str) -> Run:
    """The run as if all trials on a system gave the same, as where every learner reaches the horizon."""

    def edit(record: Record) -> Record:
        kept = tuple(replace(one, value=1.0) for one in record.measurements)
        return replace(record, measurements=kept) if record.system == system else record

    return edited(run, edit)


@pytest.mark.slow
def test_re_runs_raise_no_alarm_where_one_system_has_no_noise_and_another_all_of_it():
    rng, raised = np.random.default_rng(8), 0
    for _ in range(60):
        kept, more, again = (
            still(draw(rng, seeds, noise=0.6), "Rossler") for seeds in (range(2), range(2, 7), range(2))
        )
        raised += check(Baseline.of_run(kept, [more]), again).verdict == "regressed"
    assert raised <= 1


@pytest.mark.slow
def test_of_two_thousand_re_runs_beside_forty_baselines_hardly_any_raises_an_alarm():
    assert sum(alarms(50, seed) for seed in range(40)) <= 20


@pytest.mark.slow
def test_a_learner_that_is_much_worse_is_caught_under_noise():
    rng = np.random.default_rng(3)
    kept = Baseline.of_run(draw(rng, range(4)), [draw(rng, range(4, 12))])
    caught = [check(kept, draw(rng, range(4), worse=1.5)).verdict == "regressed" for _ in range(40)]
    assert np.mean(caught) >= 0.9


@pytest.fixture
def broken(run: Run, baseline: Baseline) -> GateResult:
    def edit(record: Record) -> Record | None:
        if (record.system, record.learner) == ("Lorenz", "C"):
            return None
        return scaled("nrmse", "TrainingMean", 1.5)(scaled("nrmse", "B", 5.0)(record))

    return check(baseline, edited(run, edit))


def test_the_text_says_the_verdict_first_and_every_reason(broken: GateResult):
    lines = check_report.text(broken).splitlines()
    assert lines[0].startswith("regressed: ")
    assert lines[0].endswith("4 regressed, 0 inconclusive, 1 lost")
    assert any(line.strip() == "C on Lorenz is missing" for line in lines)
    assert any("regressed: B on Lorenz: nrmse is 400 % worse over 3 paired trials" in line for line in lines)


def test_annotations_are_ten_at_most_the_gravest_first(broken: GateResult):
    few = check_report.annotations(broken)
    assert few[0] == "::error title=Regression check (lost)::C on Lorenz is missing"
    assert len(few) == 5
    assert "%25" in few[1]
    many = check_report.annotations(replace(broken, lost=tuple(f"cell {place}" for place in range(30))))
    assert len(many) == 10
    assert many[-1].endswith("and 25 more: see the summary")


def test_the_junit_report_counts_what_failed(broken: GateResult):
    suite = ElementTree.fromstring(check_report.junit(broken))
    assert (suite.get("failures"), suite.get("skipped")) == ("5", "0")
    assert int(suite.get("tests") or 0) == len(broken.findings) + 1 == len(suite.findall("testcase"))


def test_the_markdown_lists_what_regressed_and_how_to_accept_it(broken: GateResult):
    text = check_report.markdown(broken, "python -m bench baseline save")
    assert "- C on Lorenz is missing" in text
    assert "| regressed | Lorenz | B | nrmse | +1.61 |" in text
    assert text.endswith("accept it with\n\n    python -m bench baseline save\n")


def test_the_json_holds_verdicts_limits_and_the_command_that_accepts(broken: GateResult):
    content = json.loads(check_report.as_json(broken, "accept me"))
    assert (content["verdict"], content["accept"], content["lost"]) == (
        "regressed",
        "accept me",
        ["C on Lorenz is missing"],
    )
    assert {one["verdict"] for one in content["findings"]} == {"pass", "regressed"}
