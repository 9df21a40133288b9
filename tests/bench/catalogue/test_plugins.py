"""What others add: files that are included, entry points of installed packages, learners begun with `new`."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from bench.catalogue import plugins
from bench.errors import UserError
from bench.planning.plan import plan
from bench.request import Request
from learners import Budget
from systems import LinearSpiral, Sampling, sample
from tests.support.commands import exit_code

ROOT = Path(__file__).parents[3]
Command = Callable[..., tuple[int, str, str]]

LEARNER = """
from dataclasses import dataclass
from learners import Learner, Persistence
from metrics import Metric
from metrics.trajectory import nrmse

@dataclass(frozen=True)
class {name}(Learner):
    width: int = 3

    def fit_replicas(self, dataset, budget, seeds):
        return Persistence().fit_replicas(dataset, budget, seeds)

doubled = Metric("doubled", "", "lower", nrmse.measure)
"""
SUITE = """'''A suite that a package adds.'''
from bench.suite import Suite
from learners import Persistence
from metrics import nrmse
from systems import LinearSpiral

suite = Suite(name="added", description="", systems=(LinearSpiral(),), learners=(Persistence(),), metrics=(nrmse,))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder; what is imported from it is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(plugins, "included", [])
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_learner_of_an_included_file_can_be_named_and_configured(folder: Path):
    (folder / "mine_a.py").write_text(LEARNER.format(name="MineA"))
    planned = plan(Request("smoke", learners=("MineA[width=7]",), include=(Path("mine_a.py"),), jobs=1))
    assert "MineA[width=7]" in {one.cell.learner_label for one in planned.cells}


def test_a_metric_of_an_included_file_can_be_named_by_what_it_is_called(folder: Path):
    (folder / "mine_m.py").write_text(
        "from metrics import Metric\nfrom metrics.trajectory import nrmse\n"
        "mine = Metric('my_error', '', 'lower', nrmse.measure)\n"
        "both = (mine, Metric('other', '', 'lower', nrmse.measure))\n"
    )
    named = Request("smoke", metrics=("my_error", "other", "my_error", "nrmse"), include=(Path("mine_m.py"),), jobs=1)
    there = [metric["name"] for metric in plan(Request("smoke", jobs=1)).manifest["metrics"]]
    assert [metric["name"] for metric in plan(named).manifest["metrics"]] == [*there, "my_error", "other"]


def test_a_metric_with_the_name_of_one_that_the_suite_has_is_refused(folder: Path, command: Command):
    (folder / "mine_n.py").write_text("from metrics import Metric\nmine = Metric('nrmse', '', 'lower', len)\n")
    code, out, err = command("plan", "--suite", "smoke", "--include", "mine_n.py", "--metric", "nrmse")
    assert (code, out) == (2, "")
    assert err == "error: smoke.metrics holds nrmse twice: results are told apart by these names\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot read mine_b.py: No such file"),
        ("class Mine(:", "mine_b.py, line 1: "),
        ("\nclass Mine: pass\nraise RuntimeError('not today')\n", "mine_b.py, line 3: RuntimeError: not today"),
        ("x = 1", "unknown learner 'Mine'"),
    ],
)
def test_a_file_that_cannot_be_included_is_a_mistake(folder: Path, command: Command, text: str | None, complaint: str):
    if text is not None:
        (folder / "mine_b.py").write_text(text)
    code, out, err = command("run", "--suite", "smoke", "--include", "mine_b.py", "-l", "Mine")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("--suite", "chaos", "--metric", "test_error"),
            "chaos mixes families: CubicSpiral is for forecasting, but test_",
        ),
        (
            ("--suite", "chaos", "-l", "ResNetClassifier"),
            "chaos mixes families: CubicSpiral is for forecasting, but ResN",
        ),
        (("--suite", "images", "-s", "Lorenz"), "images mixes families: Lorenz is for forecasting, but "),
        (
            ("--suite", "chaos", "-l", "Line"),
            "Line is no learner: make it a dataclass that inherits from Learner or Cla",
        ),
        (
            ("--suite", "chaos", "-s", "Line"),
            "Line is no system: make it a dataclass that inherits from System or Image",
        ),
        (("--suite", "chaos", "-l", "Lorenz"), "unknown learner 'Lorenz'"),
        (("--suite", "chaos", "--metric", "Line"), "unknown metric 'Line'"),
        (("--suite", "chaos", "--metric", "number"), "unknown metric 'number'"),
    ],
)
def test_parts_that_do_not_go_together_are_one_line(folder: Path, command: Command, arguments, complaint: str):
    (folder / "mine_c.py").write_text("class Line: pass\nnumber = 3\n")
    code, out, err = command("plan", "--include", "mine_c.py", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


@pytest.fixture
def package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with entry points."""
    (folder / "added_learner.py").write_text(LEARNER.format(name="Added"))
    (folder / "added_suite.py").write_text(SUITE)
    about = folder / "added-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[dynamics_bench.learners]\nAdded = added_learner:Added\nGone = no_such_module:Gone\n"
        "[dynamics_bench.metrics]\ndoubled = added_learner:doubled\n"
        "[dynamics_bench.suites]\nadded = added_suite\nlost = no_such_package.module\n"
    )
    monkeypatch.syspath_prepend(folder)
    return folder


def test_entry_points_add_learners_metrics_and_suites(package: Path):
    planned = plan(Request("added", learners=("Added[width=5]",), metrics=("doubled", "vpt", "nrmse"), jobs=1))
    assert planned.manifest["suite"] == "added"
    assert {one.cell.learner_label for one in planned.cells} == {"Added[width=5]", "Persistence"}
    assert [metric["name"] for metric in planned.manifest["metrics"]] == ["nrmse", "doubled", "vpt"]


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (Request("added", learners=("Gone",), jobs=1), "the plugin no_such_module:Gone of Gone cannot be imported"),
        (Request("lost", jobs=1), "the plugin no_such_package.module of suite lost cannot be read"),
        (Request("added", metrics=("doubeld",), jobs=1), "unknown metric 'doubeld': did you mean doubled?"),
    ],
)
def test_entry_points_that_lead_nowhere_are_mistakes(package: Path, request_: Request, complaint: str):
    with pytest.raises(UserError) as caught:
        plan(request_)
    assert complaint in str(caught.value)


def run_tests(count: int) -> None:
    """Run the tests of this folder in a process of their own: so many must pass."""
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HOME": str(Path.home())}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        capture_output=True, text=True, timeout=200, env=environment, check=False,
    )  # fmt: skip
    assert f"{count} passed" in done.stdout, done.stdout
    assert done.returncode == 0


def test_what_is_begun_with_new_passes_its_test_and_can_be_named(folder: Path, command: Command):
    for kind, name in (("learner", "MyHTTPNet2Go"), ("network", "Weaver"), ("system", "Swing"), ("metric", "far_off")):
        assert command("new", kind, name)[0] == 0
    run_tests(5 + 5 + 5 + 3)
    files = ("my_http_net2_go.py", "weaver.py", "swing.py", "far_off.py")
    learners, include = ("MyHTTPNet2Go", "Weaver[width=8]"), tuple(map(Path, files))
    planned = plan(Request("smoke", ("Swing",), learners, include, metrics=("far_off",), jobs=1))
    assert {"MyHTTPNet2Go", "Weaver[width=8]"} < {one.cell.learner_label for one in planned.cells}
    assert {one.cell.system_label for one in planned.cells} == {"Swing"}
    assert planned.manifest["metrics"][-1]["name"] == "far_off"


def test_new_says_what_to_try(folder: Path, command: Command):
    _, out, _ = command("new", "system", "MySwing")
    assert out.splitlines() == [
        "my_swing.py and test_my_swing.py are written. Try",
        "  python -m pytest test_my_swing.py",
        "  python -m bench doctor my_swing.py",
        "  python -m bench run --suite smoke --include my_swing.py -s MySwing",
    ]


def test_a_network_begun_with_new_spends_the_budget_and_says_so(folder: Path, command: Command):
    command("new", "network", "Knitter")
    kind = plugins.import_file(folder / "knitter.py").Knitter
    data = sample(LinearSpiral(), Sampling(trajectories=2, samples=40, valid=1, test=1, climate=1), 0)
    first, second = kind().fit_replicas(data, Budget(effort=0.02), (0, 1))
    assert first.log.updates == second.log.updates == 60
    assert not torch.equal(*(one.weights()["0.weight"] for one in (first, second)))
    assert kind().fit(data, Budget(equal="updates", allowance=7)).log.updates == 7


@pytest.mark.slow
def test_a_suite_begun_with_new_passes_its_test_and_can_be_planned(folder: Path, command: Command):
    command("new", "suite", "my_question")
    run_tests(17)
    assert plan(Request("my_question.py", jobs=1)).manifest["suite"] == "my_question"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("model", "Mine"), "unknown kind of thing 'model': choose from learner, network, system, metric, suite"),
        (("learner", "my-net"), "a learner's name is that of its class, such as MyLearner, but is 'my-net'"),
        (("metric", "MyError"), "a metric's name is in small letters, such as my_metric, but is 'MyError'"),
        (("network", "ResNet"), "there is a learner ResNet already"),
        (("system", "Lorenz"), "there is a system Lorenz already"),
        (("metric", "vpt"), "there is a metric vpt already: choose another name (see docs/own.md)\n"),
        (("suite", "chaos"), "there is a suite chaos already: choose another name (see docs/own.md)\n"),
        (("learner", "class"), "a learner's name is that of its class"),
        (("learner", "ResNet"), "there is a learner ResNet already"),
        (("learner", "Taken"), "test_taken.py exists already"),
        (("learner", "Torch"), "torch.py would stand in the way of what Python has under this name"),
        (("learner", "Metrics"), "metrics.py would stand in the way"),
        (("learner", "Class"), "class.py would stand in the way"),
    ],
)
def test_new_overwrites_nothing_and_names_what_is_wrong(
    folder: Path, command: Command, arguments: tuple[str, str], complaint: str
):
    (folder / "test_taken.py").write_text("mine")
    code, out, err = command("new", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert [path.name for path in folder.iterdir()] == ["test_taken.py"]
