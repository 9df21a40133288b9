"""The regression gate on a real, small benchmark: planted bugs are caught, and re-runs raise no alarm."""

import pytest

from results.gate.baseline import Baseline
from results.gate.regression import check
from results.store.run import Run
from systems import Flow
from tests.support import planted
from tests.support.fake_runs import run_of

pytestmark = pytest.mark.slow
SEEDS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def measured() -> planted.Values:
    """Trials of the small benchmark with the seeds of the baseline, and with eight others."""
    return planted.measure(range(12))


@pytest.fixture(scope="module")
def gate(measured: planted.Values) -> Baseline:
    base = planted_run({place: one for place, one in measured.items() if place[2] in SEEDS})
    return Baseline.of_run(base, [planted_run(measured)])


def planted_run(values: planted.Values) -> Run:
    learners = [{"label": name, "reference": name in planted.REFERENCES} for name in planted.LEARNERS]
    seeds = list(dict.fromkeys(place[2] for place in values))
    return run_of(values, seeds, systems=list(planted.SYSTEMS), learners=learners, metrics=("nrmse", "vpt"))


def regressed(gate: Baseline, values: planted.Values) -> set[tuple[str, str]]:
    return {(one.learner, one.metric) for one in check(gate, planted_run(values)).of("regressed")}


def test_the_small_benchmark_run_again_is_the_same(gate: Baseline):
    found = check(gate, planted_run(planted.measure(SEEDS)))
    assert found.verdict == "pass"


def test_a_wrong_runge_kutta_weight_is_caught(gate: Baseline, monkeypatch):
    def wrong(field, x, h):
        k1 = field(0.0, x)
        k2 = field(h / 3, x + h / 3 * k1)
        k3 = field(2 * h / 3, x + h * (k2 - k1 / 3))
        k4 = field(h, x + h * (k1 - k2 + k3))
        return x + h / 8 * (k1 + 3 * k2 + 3.1 * k3 + 0.9 * k4)

    def steps(flow, x, interval, count):
        for _ in range(count):
            x = wrong(flow.velocity, x, interval / count)
        return x

    monkeypatch.setattr(Flow, "accurate_steps", steps)
    found = check(gate, planted_run(planted.measure(SEEDS, ("Persistence", "TrueEquations"))))
    assert found.verdict == "regressed"  # no number of such steps comes near the truth, which is told
    assert "TrueEquations on Lorenz is missing" in found.lost


def test_a_halved_learning_rate_is_caught(gate: Baseline):
    assert {learner for learner, _ in regressed(gate, planted.measure(SEEDS, rate=0.5))} == {"NeuralODE"}


def test_a_metric_that_is_off_by_one_step_is_caught(gate: Baseline):
    assert ("Persistence", "vpt") in regressed(gate, planted.measure(SEEDS, shift=1))


def test_twenty_real_re_runs_with_other_seeds_raise_no_alarm(gate: Baseline):
    again = planted.measure(range(100, 180))
    for start in range(100, 180, 4):
        values = planted.relabelled(again, range(start, start + 4), lambda seed, start=start: seed - start)
        assert check(gate, planted_run(values)).verdict != "regressed"
