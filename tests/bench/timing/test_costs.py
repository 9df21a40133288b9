"""Equal processor time: costs are measured in turns, kept by name, and become numbers of updates."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, cast

import pytest

from bench import equal_time
from bench.equal_time import (
    affordable,
    in_equal_time,
    measured,
    priced_as,
    trained_by_updates,
    training_of,
    with_training,
)
from bench.suites.chaos import FIELDS
from bench.suites.chaos import suite as chaos
from bench.suites.held_out import COMPARED
from bench.suites.held_out_fields import SECONDS as ON_FIELDS
from bench.suites.optimisers import suite as optimisers
from bench.suites.references import suite as references
from bench.suites.spatiotemporal import SECONDS
from bench.suites.spatiotemporal import suite as spatiotemporal
from bench.timing import costs
from bench.timing.costs import milliseconds
from learners import DMD, LatentODE, Learner, NeuralODE, ResNet, RKNet, Training, WindowedRNN
from learners.fewer_trajectories import Fewer
from systems import LinearSpiral, sample
from tests.support.commands import exit_code
from tests.support.stubs import TINY

SUITE = """
from bench.suite import Suite
from learners import NeuralODE, Persistence, ResNet, WindowedRNN
from metrics import nrmse
from systems import LinearSpiral
from tests.support.stubs import TINY

LEARNERS = (NeuralODE(width=4), ResNet(width=4), WindowedRNN(window=9), Persistence())
suite = Suite("tiny", "A tiny one.", (LinearSpiral(),), LEARNERS, (nrmse,), TINY)
"""


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "SHORT", 2)
    monkeypatch.setattr(costs, "MORE", (20, 20))


def test_a_cost_is_kept_for_a_learner_whatever_its_number_of_updates():
    assert priced_as(with_training(NeuralODE(), updates=7)) == priced_as(NeuralODE()) == "NeuralODE"
    assert priced_as(NeuralODE(width=8)) == "NeuralODE[width=8]"
    assert "adam" in priced_as(NeuralODE(training=Training(updates=7)))


def test_a_learner_within_another_is_priced_and_trained_as_one_that_stands_alone():
    inside = Fewer(NeuralODE(), trajectories=2)
    assert trained_by_updates(inside)
    assert not trained_by_updates(Fewer(DMD(), trajectories=2))
    fewer = with_training(inside, updates=7, validations=3)
    assert fewer == Fewer(with_training(NeuralODE(), updates=7, validations=3), trajectories=2)
    assert training_of(fewer).updates == 7
    assert priced_as(with_training(inside, updates=7)) == "Fewer[learner=NeuralODE,trajectories=2]"
    with pytest.raises(ValueError, match="DMD is not trained by updates"):
        training_of(DMD())


@pytest.mark.parametrize(("cost", "updates"), [(0.25, 10_000), (0.423, 5_900), (1.09, 2_300), (1e9, 1)])
def test_a_time_pays_for_updates_to_two_digits(cost: float, updates: int):
    assert affordable(cost, 2.5) == updates


def test_learners_of_chaos_and_both_optimisers_have_updates_for_the_same_time():
    for suite in (chaos, optimisers):
        everyone: list[Any] = [learner for learner in suite.learners if equal_time.trained_by_updates(learner)]
        trained = [learner for learner in everyone if not learner.for_rings]
        assert len(trained) >= len(COMPARED)
        for learner in trained:
            cost = measured()[priced_as(learner)]
            assert cost * learner.training.updates == pytest.approx(1e3 * equal_time.SECONDS, rel=0.05)


def test_learners_of_fields_have_updates_for_the_time_that_others_take_on_a_field():
    costs = measured("KuramotoSivashinsky")
    seconds = {
        learner: 1e-3 * costs[priced_as(learner)] * learner.training.updates
        for learner in cast("list[Any]", chaos.learners)
        if equal_time.trained_by_updates(learner) and priced_as(learner) in costs  # but those by teacher forcing
    }
    assert len(seconds) == 7 + len(FIELDS)
    fields = [spent for learner, spent in seconds.items() if learner.for_rings]
    assert len(fields) == len(FIELDS)
    assert fields == pytest.approx([ON_FIELDS] * len(FIELDS), rel=0.05)
    others = median(spent for learner, spent in seconds.items() if not learner.for_rings)
    assert others == pytest.approx(ON_FIELDS, rel=0.05)


def test_learners_of_spatiotemporal_have_updates_for_the_same_time():
    costs = measured("KuramotoSivashinsky")
    trained: list[Any] = [learner for learner in spatiotemporal.learners if equal_time.trained_by_updates(learner)]
    spent = [1e-3 * costs[priced_as(learner)] * learner.training.updates for learner in trained]
    assert spent == pytest.approx([SECONDS] * 8, rel=0.05)


def test_learners_of_references_that_are_trained_have_updates_for_the_same_time():
    trained: list[Any] = [learner for learner in references.learners if equal_time.trained_by_updates(learner)]
    spent = [1e-3 * measured()[priced_as(learner)] * learner.training.updates for learner in trained]
    assert spent == pytest.approx([equal_time.SECONDS] * 4, rel=0.05)


def test_defaults_of_the_networks_compared_are_what_the_costs_say():
    for learner in (WindowedRNN(), NeuralODE(), ResNet(), RKNet()):
        assert in_equal_time([learner]) == (learner,)


def test_a_learner_without_a_cost_is_refused_with_the_command_that_measures_it():
    with pytest.raises(ValueError, match=r"LatentODE.*python -m bench calibrate"):
        in_equal_time([NeuralODE(), LatentODE()])


@pytest.mark.usefixtures("brief")
def test_an_update_of_a_larger_network_costs_more():
    small, large = (replace(NeuralODE(width=width), lookahead=4) for width in (8, 256))
    learners: list[Learner] = [small, large]
    found = milliseconds(
        learners, sample(LinearSpiral(), TINY, 0), rounds=3, notify=lambda text: None, known_as=priced_as
    )
    cheap, dear = (found[priced_as(learner)] for learner in learners)
    assert isinstance(cheap, float)
    assert isinstance(dear, float)
    assert dear > 2 * cheap > 0


@pytest.mark.parametrize("cost", [-0.1, 0.0])
def test_a_cost_that_noise_hides_is_none(cost: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(costs, "_fit", lambda learner, data, updates: cost * updates)
    learner = NeuralODE(width=8)
    data = sample(LinearSpiral(), TINY, 0)
    found = milliseconds([learner], data, rounds=3, notify=lambda text: None, known_as=priced_as)
    assert found == {priced_as(learner): costs.UNTOLD}


def test_a_dear_learner_is_measured_by_fewer_updates(monkeypatch: pytest.MonkeyPatch):
    fitted: list[int] = []

    def fit(learner: Any, data: Any, updates: int) -> float:
        fitted.append(updates)
        return 0.3 + learner.width * 1e-3 * updates

    monkeypatch.setattr(costs, "_fit", fit)
    learners: list[Learner] = [NeuralODE(width=width) for width in (1, 12, 1000)]
    found = milliseconds(learners, sample(LinearSpiral(), TINY, 0), 1, lambda text: None, priced_as)
    assert fitted == [60, 60, 60, *(60, 227), *(60, 119), *(60, 90)]
    assert list(found.values()) == pytest.approx([1 / 3, 4, 1000 / 3])


@pytest.mark.usefixtures("brief")
def test_the_command_keeps_costs_that_are_known_tells_others_in_their_time_and_says_why_it_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    suite, kept = tmp_path / "tiny.py", tmp_path / "costs.json"
    suite.write_text(SUITE, encoding="utf-8")
    options = ["--suite", str(suite), "--rounds", "3", "--write", str(kept), "--out", str(tmp_path)]
    assert exit_code(["calibrate", *options]) == 0
    assert "window" in capsys.readouterr().out  # longer than the context of the data
    first = json.loads(kept.read_text("utf-8"))["LinearSpiral"]
    assert set(first["milliseconds"]) == {"NeuralODE[width=4]", "ResNet[width=4]"}

    slower = {"milliseconds": {"NeuralODE[width=4]": 1e3 * first["milliseconds"]["NeuralODE[width=4]"]}}
    kept.write_text(json.dumps({"Lorenz": {"milliseconds": {"Mine": 3.0}}, "LinearSpiral": {**first, **slower}}))
    assert exit_code(["calibrate", *options]) == 0
    both = json.loads(kept.read_text("utf-8"))
    again = both["LinearSpiral"]["milliseconds"]
    assert both["Lorenz"] == {"milliseconds": {"Mine": 3.0}}
    assert again["NeuralODE[width=4]"] == slower["milliseconds"]["NeuralODE[width=4]"]
    assert again["ResNet[width=4]"] > 100 * first["milliseconds"]["ResNet[width=4]"]


def test_costs_that_nothing_compares_with_those_of_a_file_are_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(costs, "milliseconds", None)
    suite, kept = tmp_path / "small.py", tmp_path / "costs.json"
    suite.write_text(SUITE, encoding="utf-8")
    content = '{"LinearSpiral": {"milliseconds": {"Mine": 3.0}}}'
    kept.write_text(content)
    options = ["--suite", str(suite), "--rounds", "1", "--write", str(kept), "--out", str(tmp_path)]
    assert exit_code(["calibrate", *options]) == 2
    assert "measure one of theirs, too, -l 'Mine'" in capsys.readouterr().err
    assert kept.read_text() == content


def test_suites_without_updates_are_refused(capsys: pytest.CaptureFixture[str]):
    assert exit_code(["calibrate", "--suite", "images"]) == 2
    assert "no learner of trajectories that is trained by updates" in capsys.readouterr().err


def test_costs_that_could_not_be_written_are_not_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    assert exit_code(["calibrate", "--write", str(tmp_path / "file" / "costs.json"), "--out", str(tmp_path)]) == 2
    assert "choose another folder with --write" in capsys.readouterr().err


def test_a_file_that_holds_no_costs_is_refused_before_anything_is_measured_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "other.json"
    for content in ("not JSON", "[]", '{"milliseconds": 3}', '{"Lorenz": {"milliseconds": 3}}'):
        kept.write_text(content, encoding="utf-8")
        assert exit_code(["calibrate", "--write", str(kept), "--out", str(tmp_path)]) == 2
        assert "is no file of costs: name another with --write" in capsys.readouterr().err
        assert kept.read_text("utf-8") == content
