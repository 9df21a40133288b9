"""Tuning: the same trials for all, on validation data alone, resumable; what is found is a suite that runs."""

import ast
import importlib.util
import json
import sys
import types
from dataclasses import dataclass, field, replace
from inspect import isabstract
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from bench.catalogue.settings import set_to
from bench.cells.data import dataset
from bench.cells.key import planned
from bench.cells.run import fit_cell
from bench.equal_time import affordable, priced_as
from bench.errors import UserError
from bench.request import Request
from bench.runner.outcomes import Outcome
from bench.suite import Suite, tuned
from bench.tuning import prices
from bench.tuning.held_out import HIGHEST, HeldOutCell, forecast_held_out, held_out, validation_error
from bench.tuning.prices import Prices, in_time_of
from bench.tuning.search import Candidate, Proposals, Search, errors_of, tunable, tune_learner
from bench.tuning.space import SPACES, search_space
from bench.tuning.suite_file import _text, suite_source
from learners import (
    Budget,
    Forecast,
    Learner,
    NeuralODE,
    Persistence,
    Predictor,
    Reservoir,
    ResNet,
    Training,
    TrueEquations,
)
from learners.fewer_trajectories import Fewer
from metrics import nrmse
from results import Measurement, Record, Status
from results.report import page as report_room
from systems import GeometricBrownianMotion, LinearSpiral, sample
from tests.support.commands import exit_code
from tests.support.stubs import TINY, Instant, Raising, Spoiled, Turning, Untrained, cell

SHORT = replace(TINY, climate_horizon=1.0)
SOURCE = """
from bench.suite import Suite
from learners import Persistence
from metrics import nrmse
from systems import LinearSpiral
from tests.bench.tuning.test_tuning import SHORT, Shifted

suite = Suite(
    name="toy", description="A toy.", systems=(LinearSpiral(),), learners=(Shifted(), Persistence()), metrics=(nrmse,),
    sampling=SHORT, seeds=1,
)
"""


@pytest.fixture(autouse=True)
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices are measured once: what they are does not matter here."""
    monkeypatch.setattr(prices, "ROUNDS", 1)


@dataclass(frozen=True)
class Inner:
    """A nested configuration."""

    rate: float = 3.0


@dataclass(frozen=True)
class Shifted(Learner):
    """Knows the spiral, but for errors that its settings say; best at shift 0 and rate 1."""

    shift: float = 0.5
    inner: Inner = field(default_factory=Inner)

    search_space = {"shift": (0.0, 0.25, 1.0, 2.0), "inner.rate": (1.0, 2.0, 5.0)}  # noqa: RUF012

    def fit_replicas(self, dataset, budget, seeds) -> list[Predictor]:
        return [Away(seed, away=self.shift + self.inner.rate - 1) for seed in seeds]


@dataclass(frozen=True)
class Away(Turning):
    """Off the truth by a constant."""

    away: float = 0.0

    def forecast(self, past, times):
        found = super().forecast(past, times)
        return Forecast(found.states + self.away, found.evaluations)


@dataclass(frozen=True)
class Picky(Learner):
    """Refuses what one of its settings may be."""

    width: int = 2

    search_space = {"width": (3,)}  # noqa: RUF012

    def __post_init__(self) -> None:
        if self.width == 3:
            raise ValueError("width must not be 3")

    def fit_replicas(self, dataset, budget, seeds):
        return Instant().fit_replicas(dataset, budget, seeds)


@dataclass(frozen=True)
class Trained(Learner):
    """One that is trained by updates; best at a rate of 0.25, and the better the more updates it has had."""

    width: int = 64
    training: Training = field(default_factory=Training)

    search_space = {"width": (32, 128), "training.learning_rate": (0.25,)}  # noqa: RUF012

    def fit_replicas(self, dataset, budget, seeds) -> list[Predictor]:
        return [
            Away(seed, away=abs(self.training.learning_rate - 0.25) + 100 / self.training.updates) for seed in seeds
        ]


class Carried:
    """Carries cells out in this process, and lists them."""

    def __init__(self, folder):
        self.folder, self.asked = folder, []

    def __call__(self, cells):
        self.asked += cells
        trials = {str(place): cell.run(self.folder) for place, cell in enumerate(cells)}
        return Outcome({place: [one.record for one in found] for place, found in trials.items()})


@pytest.fixture
def spiral(tmp_path):
    return dataset(LinearSpiral(), TINY, 0, tmp_path)


@pytest.fixture
def run(tmp_path):
    return Carried(tmp_path)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs a command line in an empty folder with a suite's file; gives its exit code and what it printed."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "toy_suite.py").write_text(SOURCE)

    def told(*arguments):
        given = [str(tmp_path / one) if one == "toy_suite.py" else one for one in arguments]
        code = exit_code([*given, "--out", str(tmp_path / "runs")])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield told
    for name in ("toy_suite", "tuned_toy"):
        sys.modules.pop(name, None)


def silent(tried: Search) -> None:
    pass


def trial(value: float | None, status: Status = "ok", system: str = "A") -> Record:
    return Record(system, "B", 0, status, "", (Measurement("validation_error", value, "std", "lower"),))


def test_what_is_scored_are_pieces_of_the_validation_trajectories(spiral):
    found = held_out(spiral)
    context, valid = TINY.context, spiral.valid.states[0]
    assert found.train is spiral.train
    assert found.climate is found.test
    assert found.test.states.shape[1] == context + TINY.forecast_samples
    for times, states in zip(found.test.times, found.test.states, strict=True):
        first = int((spiral.valid.times[0] == times[0]).nonzero())
        assert torch.equal(states, valid[first : first + len(states)])
    assert len(found.test) > 1


def test_neither_a_learner_nor_its_score_depends_on_the_test_data(spiral):
    def spoiled(part):
        return replace(part, states=torch.full_like(part.states, torch.nan))

    blind = held_out(replace(spiral, test=spoiled(spiral.test), climate=spoiled(spiral.climate)))
    seen = held_out(spiral)
    for part in ("train", "valid", "test", "climate"):
        assert torch.equal(getattr(blind, part).states, getattr(seen, part).states)
        assert getattr(seen, part).states.isfinite().all()


def test_the_score_of_a_constant_error_is_that_error_in_standard_deviations(spiral, tmp_path):
    judged = HeldOutCell(**vars(cell(Shifted(inner=Inner(1.0)), seeds=(0,), metrics=(validation_error,))))
    (found,) = judged.run(tmp_path)
    expected = 0.5 * float((1 / spiral.std.square()).mean().sqrt())
    assert found.record.status == "ok"
    assert found.record.measurements[0].value == pytest.approx(expected, rel=1e-6)


def test_trajectories_no_longer_than_the_context_are_refused(spiral):
    short = replace(spiral, valid=spiral.valid.between(0, TINY.context))
    with pytest.raises(ValueError, match="4 samples leave nothing to forecast after a context of 4: raise Sampling"):
        held_out(short)


@pytest.mark.parametrize(
    ("learner", "status"),
    [(Untrained(), "diverged"), (Raising("unsuitable"), "skipped"), (Spoiled("refuse"), "crashed")],
)
def test_a_trial_ends_as_a_run_would(learner, status, tmp_path):
    judged = HeldOutCell(**vars(cell(learner, metrics=(validation_error,))))
    assert [one.record.status for one in fitted(judged, tmp_path)] == [status] * 2


def fitted(judged, folder):
    (folder / "cell").mkdir()
    return fit_cell(planned([judged], folder)[0], folder, folder / "cell")


def test_errors_are_geometric_means_over_seeds_and_failures_count_as_the_worst():
    assert errors_of([[trial(0.1)], [trial(10.0, system="C")]]) == {"A": pytest.approx(0.1), "C": pytest.approx(10.0)}
    assert errors_of([[trial(0.01), trial(1.0)]]) == {"A": pytest.approx(0.1)}
    for failed in (trial(0.1, "diverged"), trial(None, "crashed")):
        assert errors_of([[failed]]) == {"A": pytest.approx(HIGHEST)}
    assert errors_of([[trial(None, "skipped")], [trial(0.1, system="C")]]) == {"C": pytest.approx(0.1)}
    assert errors_of([[trial(None, "skipped")]]) == {}


def test_the_error_elsewhere_is_that_of_systems_left_out_in_turn():
    def tried(**errors: float) -> Candidate:
        return Candidate({}, errors)

    # On A and B the second is the best, on C the third. Left out: A, where the best on B and C is the third; B, where
    # it is the third on A and C; C, where it is the second on A and B.
    found = Search(Shifted(), (tried(A=4.0, B=4.0, C=4.0), tried(A=1.0, B=1.0, C=9.0), tried(A=3.0, B=3.0, C=0.1)))
    assert found.error_elsewhere == pytest.approx((3.0 * 3.0 * 9.0) ** (1 / 3))
    refused = tried(A=HIGHEST, B=HIGHEST, C=HIGHEST)
    assert replace(found, candidates=(*found.candidates, refused)).error_elsewhere == found.error_elsewhere
    assert Search(Shifted(), (tried(A=1.0), tried(A=HIGHEST))).error_elsewhere is None
    assert Search(Shifted(), (tried(),)).error_elsewhere is None


def test_a_search_begins_with_the_learners_own_settings_and_finds_the_best(run):
    told = []
    found = tune_learner(Shifted(), [cell(Shifted())], 40, run, told.append)
    assert len(found.candidates) == 20  # there are no more
    assert dict(found.candidates[0].settings) == {"shift": 0.5, "inner.rate": 3.0}
    assert found.best is not None
    assert found.best.error == min(candidate.error or HIGHEST for candidate in found.candidates)
    assert found.found == {"shift": 0.0, "inner.rate": 1.0}
    assert [len(one.candidates) for one in told] == list(range(1, 21))


def test_forecasts_that_are_drawn_are_judged_as_distributions():
    sampling = replace(SHORT, step=0.02, valid=800, horizon=0.4)
    data = held_out(sample(GeometricBrownianMotion(), sampling, 0))
    (true,) = TrueEquations().fit_replicas(data, Budget(), (0,))
    found = forecast_held_out(true, data)
    assert found.members is not None
    np.testing.assert_array_equal(found.members[0], found.forecast)
    system, starts = GeometricBrownianMotion(), data.test.states[:, data.sampling.context - 1, 0].tolist()
    times = (data.test.times[0, data.sampling.context :] - data.test.times[0, data.sampling.context - 1]).tolist()
    least = np.mean([[system.least_crps(start, time) for time in times] for start in starts]) / found.scale.item()
    assert validation_error.measure(found) == pytest.approx(least, rel=0.1)
    error = np.abs(found.forecast - found.truth).mean() / found.scale.item()
    assert error > 1.5 * least  # of one path alone


def test_every_trial_has_the_budget_the_seeds_and_the_data_of_the_suite(run):
    own = cell(Shifted())
    tune_learner(Shifted(), [own, cell(Instant())], 3, run, silent)
    assert len(run.asked) == 3
    for one in run.asked:
        assert isinstance(one, HeldOutCell)
        assert (one.system, one.sampling, one.budget, one.seeds, one.data_seed) == (
            own.system,
            own.sampling,
            own.budget,
            own.seeds,
            own.data_seed,
        )


def test_a_search_is_repeated_and_continued_with_the_same_trials(run):
    first, again = (tune_learner(Shifted(), [cell(Shifted())], count, run, silent).candidates for count in (12, 15))
    assert again[:12] == first


def test_no_choice_is_tried_twice_and_the_search_ends_with_the_last_one():
    space = {"a": [1, 2, 3], "b": ["x", "y"], "c": [0.1, 0.2]}
    proposals, seen = Proposals(space), []
    for settings in proposals:
        seen.append(tuple(settings.values()))
        proposals.tell(float(settings["a"] != 2) + settings["c"])
    assert seen[0] == (1, "x", 0.1)
    assert len(set(seen)) == len(seen) == 12


def test_all_trials_of_a_learner_take_the_same_time(run):
    asked = []

    def price(learner):
        asked.append(learner)
        return 3.0 if learner.width == 128 else 2.0 if learner.width == 64 else 1.0

    own = Trained(training=Training(updates=600))
    found = tune_learner(own, [cell(own)], 40, run, silent, price)
    updates = {one.learner.width: one.learner.training.updates for one in run.asked}
    assert updates == {64: 600, 32: 1200, 128: 400}
    assert {one.training.learning_rate for one in asked} == {0.01}  # at another, it might diverge
    assert found.found == {"width": 32, "training.updates": 1200, "training.learning_rate": 0.25}


def test_settings_whose_cost_cannot_be_told_are_failed_trials(run):
    def price(learner):
        raise UserError("too short to be told")

    own = Trained(training=Training(updates=600))
    found = tune_learner(own, [cell(own)], 20, run, silent, price)
    assert found.candidates[0].failure == ""
    assert {one.failure for one in found.candidates if one.settings["width"] != 64} == {"too short to be told"}


def test_a_price_is_measured_once_and_kept(tmp_path, monkeypatch):
    measured = []

    def milliseconds(learners, *_):
        measured.extend(learners)
        return {priced_as(learners[0]): 0.1234567}

    monkeypatch.setattr(prices, "milliseconds", milliseconds)
    learner = NeuralODE(width=8)
    price = Prices(cell(learner), tmp_path)
    assert [price(learner), price(learner), Prices(cell(learner), tmp_path)(learner)] == [0.123] * 3
    assert measured == [learner]
    assert json.loads(price.path.read_text()) == {"NeuralODE[width=8]": 0.123}


@pytest.mark.slow
def test_a_wider_network_is_dearer_and_trained_less_often(tmp_path):
    own = NeuralODE(width=16, training=replace(NeuralODE().training, updates=1000))
    price = Prices(cell(own), tmp_path)
    wide = in_time_of(own, replace(own, width=128), price)
    assert price(wide) > 2 * price(own)
    assert wide.training.updates == pytest.approx(1000 * price(own) / price(wide), rel=0.05)


def test_settings_that_do_not_go_together_are_failed_trials(run):
    found = tune_learner(Picky(), [cell(Picky())], 6, run, silent)
    refused = [candidate for candidate in found.candidates if candidate.settings["width"] == 3]
    assert {candidate.failure for candidate in refused} == {"width must not be 3"}
    assert {candidate.error for candidate in refused} == {HIGHEST}
    assert found.found == {}


def test_a_learner_that_applies_to_no_system_is_tried_once():
    def run(cells):
        return Outcome({"a": [trial(None, "skipped")]})

    found = tune_learner(Shifted(), [cell(Shifted())], 5, run, silent)
    assert len(found.candidates) == 1
    assert found.best is None
    assert found.found == {}


def test_settings_that_do_not_apply_to_some_of_the_systems_have_failed_there():
    """Or those would be the best that leave the hardest system out."""

    def run(cells):
        (shift,) = {one.learner.shift for one in cells}
        lorenz = trial(None, "skipped", "Lorenz") if shift == 0.0 else trial(1.0, system="Lorenz")
        return Outcome({"a": [trial(0.1, system="LinearSpiral")], "b": [lorenz]})

    found = tune_learner(Shifted(), [cell(Shifted())], 20, run, silent)
    (worst,) = {one.error for one in found.candidates if one.settings["shift"] == 0.0}
    assert worst == pytest.approx((0.1 * HIGHEST) ** 0.5)
    assert found.found == {}


def test_what_tells_a_learner_apart_in_its_suite_is_not_tuned():
    near, far = NeuralODE(width=32), NeuralODE(width=32, lookahead=5)
    ring = NeuralODE(network="convolution", lookahead=3, damping=0.1)
    assert search_space(far)["lookahead"] == [5, 1, 2, 4, 8]
    for learner in (near, far):
        space = search_space(learner, [near, far, ring, ResNet(width=64), Persistence()])
        assert "lookahead" not in space
        assert space["width"] == [32, 64, 128]
    space = search_space(ring, [near, far, ring])
    assert (space["lookahead"], space["damping"]) == ([3, 1, 2, 4, 8], [0.1, 0.0, 0.03, 0.3])
    assert "damping" not in search_space(near)


def test_settings_of_nested_learners_are_tuned():
    one, other = Fewer(Reservoir(size=50), trajectories=2), Fewer(Reservoir(size=60), trajectories=2)
    assert search_space(one)["learner.size"] == [50, 200, 400, 800]
    space = search_space(one, [one, other, Reservoir(), Fewer(NeuralODE(), 2)])
    assert "learner.radius" in space
    assert "learner.size" not in space
    assert set_to(Fewer(Reservoir(), 2), {"learner.radius": 0.9}) == Fewer(Reservoir(radius=0.9), 2)


def test_a_declared_setting_that_a_learner_does_not_have_is_named():
    @dataclass(frozen=True)
    class Misspelt(Shifted):
        search_space: ClassVar = {"shfit": (0.0, 1.0)}

    with pytest.raises(UserError, match=r"Misspelt.search_space has 'shfit', which Misspelt does not"):
        search_space(Misspelt())


def test_trials_of_a_learner_within_another_take_the_same_time(run):
    costs = {"Fewer[learner=NeuralODE,trajectories=2]": 1.0}
    own = Fewer(NeuralODE(), 2)
    found = tune_learner(own, [cell(own)], 3, run, silent, lambda one: costs.get(priced_as(one), 4.0))
    updates = NeuralODE().training.updates
    expected = [updates, *[affordable(4.0, updates / 1e3)] * 2]
    assert [one.settings["learner.training.updates"] for one in found.candidates] == expected


def test_reference_rows_and_learners_without_a_space_are_not_tuned():
    assert tunable([cell(one) for one in (Persistence(), Instant(), Shifted(), Shifted())]) == [Shifted()]


@pytest.mark.parametrize("kind", SPACES, ids=lambda kind: kind.__name__)
def test_every_declared_setting_is_one_that_the_learner_takes(kind):
    kinds = kind.__subclasses__() if isabstract(kind) else [kind]
    assert kinds
    for learner in (one() for one in kinds):
        for name, values in search_space(learner).items():
            for value in values:
                changed = set_to(learner, {name: value})
                assert (changed == learner) == (value == values[0])


def test_learners_that_tuning_has_made_the_same_are_one():
    learners = (Shifted(), Shifted(shift=0.25), Persistence())
    suite = Suite("toy", "A toy.", (LinearSpiral(),), learners, (nrmse,))
    found = tuned(suite, {"Shifted": {"shift": 0.25}}, "tuned")
    assert found.learners == (Shifted(shift=0.25), Persistence())
    assert (found.name, found.settings) == ("tuned_toy", "tuned")
    with pytest.raises(ValueError, match=r"suite toy has no Gone any more: tune it again"):
        tuned(suite, {"Gone": {}}, "")


def test_the_command_writes_a_suite_that_runs_as_it_is(command, tmp_path, monkeypatch):
    code, out, _ = command("tune", "--suite", "toy_suite.py", "--trials", "3", "--jobs", "1")
    lines = out.splitlines()
    assert code == 0
    assert [line.split(":")[0] for line in lines[:3]] == [f"Shifted  trial {number} of 3" for number in range(1, 4)]
    assert "learner" in out
    assert max(map(len, lines[4:8])) <= 80
    path = tmp_path / "runs" / "tuning" / "tuned_toy.py"
    assert "best of 3 trials" in (ast.get_docstring(ast.parse(path.read_text())) or "")
    monkeypatch.setattr(report_room, "write_report", lambda run, **_: run.folder / "report.html")
    code, _, _ = command("run", "--suite", str(path), "--jobs", "1", "--quiet")
    assert code == 0
    manifest = json.loads((tmp_path / "runs" / "tuned_toy" / "manifest.json").read_text())
    assert [one["configuration"] for one in manifest["learners"]] == [search_result(lines), "Persistence"]


def search_result(lines: list[str]) -> str:
    """The label that the learner has with the settings below the table."""
    (found,) = (line.removeprefix("Shifted: ") for line in lines if line.startswith("Shifted: "))
    settings = found.split(", ")
    return f"Shifted[{','.join(settings)}]" if settings[0] != "as they were" else "Shifted"


@pytest.mark.slow
def test_the_same_command_resumes_and_fits_nothing_twice(command, tmp_path):
    arguments = ("tune", "--suite", "toy_suite.py", "--jobs", "1", "--quiet", "--trials")
    assert command(*arguments, "2")[:2] == (0, f"{tmp_path}/runs/tuning/tuned_toy.py\n")
    trials = tmp_path / "runs" / "trials"
    before = {path.name: path.stat().st_mtime_ns for path in trials.iterdir()}
    assert command(*arguments, "3")[0] == 0
    after = {path.name: path.stat().st_mtime_ns for path in trials.iterdir()}
    assert len(before) == 2
    assert len(after) == 3
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--trials", "0"], "--trials must be at least 1, but is 0"),
        (["-l", "Persistence"], "nothing to tune: no search space is declared for reference rows"),
        (["-l", "Shfted"], "unknown learner 'Shfted': choose from "),
        (["--timeout", "-1"], "--timeout must be a positive number of seconds, but is -1"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_mistakes_are_told_in_one_line(command, arguments, complaint):
    code, out, err = command("tune", "--suite", "toy_suite.py", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_suites_without_forecasts_or_validation_data_are_refused(command, tmp_path):
    code, _, err = command("tune", "--suite", "images")
    assert code == 2
    assert "suite images is for classification: only forecasts can be tuned" in err
    (tmp_path / "toy_suite.py").write_text(
        SOURCE.replace("sampling=SHORT", "sampling=replace(SHORT, context=50)").replace(
            "\nfrom bench", "\nfrom dataclasses import replace\nfrom bench", 1
        )
    )
    code, _, err = command("tune", "--suite", "toy_suite.py")
    assert code == 2
    assert "have 50 samples, which leaves nothing to forecast after a context of 50" in err


def test_the_file_of_a_tuned_suite_gives_back_what_was_found(command, tmp_path):
    (tmp_path / "more_learners.py").write_text(
        "from tests.bench.tuning.test_tuning import Shifted\n\n\nclass Mine(Shifted): ...\n"
    )
    request = Request(
        str(tmp_path / "toy_suite.py"),
        systems=["LinearSpiral"],
        learners=["Mine"],
        include=[tmp_path / "more_learners.py"],
    )
    found = Search(Shifted(), (Candidate({"shift": 0.5}, {"A": 0.5}), Candidate({"shift": 0.25}, {"A": 0.25})))
    own: Any = types.ModuleType("more")
    text = suite_source(request, [found], "tune").replace('"Shifted":', '"Mine":')
    exec(text, vars(own))
    mine = own.suite.learners[0]
    assert (type(mine).__name__, mine.shift) == ("Mine", 0.25)
    assert "# 0.5 -> 0.25" in text
    assert own.suite.name == "tuned_toy"
    sys.modules.pop("more_learners", None)


def test_settings_are_written_as_python():
    text = 'a\\x""" é \U0001f600 \udcff\n\''
    for value in (1e-5, "gelu", (1, 2), (1,), [0.5, "a"], {"a": True, "b": None}, text):
        assert ast.literal_eval(_text(value)) == value


def test_a_command_is_written_into_the_file_of_a_tuned_suite_as_what_it_is_and_not_as_code():
    words = 'tune --out C:\\xyz --suite """\nraise SystemExit\n"""'
    found = Search(Shifted(), (Candidate({"shift": 0.5}, {"A": 0.5}),))
    text = suite_source(Request("chaos", include=[Path('x"""\\x.py')]), [found], words)
    tree = ast.parse(text)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    (line,) = (line for line in text.splitlines() if line.startswith("# Written by: tune"))
    assert 'C:\\xyz --suite """ raise SystemExit """' in line


def test_a_disk_that_is_full_while_tuning_is_told_in_one_line(command, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.runner.run.run", fail)
    code, _, err = command("tune", "--suite", "toy_suite.py")
    assert (code, err.count("\n")) == (2, 1)
    assert "No space left on device; what is finished is kept, and the same command resumes" in err


def test_a_missing_extra_is_told_in_one_line(command, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr("bench.commands.tune.find_spec", lambda name: None if name == "optuna" else there(name))
    code, out, err = command("tune", "--suite", "toy_suite.py")
    assert (code, out, err) == (2, "", "error: tuning needs the extra tune: pip install 'dynamics-bench[tune]'\n")


def test_an_interrupted_search_says_how_to_resume(command, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.runner.run.run", stop)
    code, _, err = command("tune", "--suite", "toy_suite.py")
    assert code == 130
    assert "interrupted: finished trials are kept; resume with" in err
