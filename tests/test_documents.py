"""The examples of README, CONTRIBUTING and docs: they run as they are shown."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer

from bench.catalogue import plugins
from bench.cli import app
from bench.interface import evaluate
from bench.planning.selection import select
from bench.request import Request, read_shard
from bench.suite import Suite, load
from learners import Budget, Learner, Persistence
from metrics import Metric
from systems import LinearSpiral, Sampling, Simulated, sample
from tests.support.commands import ROOT, exit_code

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text() for page in PAGES}
EXAMPLES = list(dict.fromkeys(re.findall(r"^```python\n(.*?)^```", "".join(TEXTS.values()), re.DOTALL | re.MULTILINE)))
PLACEHOLDERS = {"NAME": "Lorenz", "HOST": "localhost"}  # what readers have to fill in
SMALL = Sampling(trajectories=2, samples=40, valid=1, test=2, context=4, horizon=0.1, climate=1, climate_horizon=0.2)
SHELL = """
python() { printf '%s\\037' "$@"; echo; }
after() { while [ "$1" != python ]; do shift; done; "$@"; }
srun() { after "$@"; }
uv() { after "$@"; }
pip() { :; }
SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=8 JOB_COMPLETION_INDEX=0
"""


def written_commands() -> list[str]:
    """Every command of ours in the texts, one a line: in blocks, which are indented, and in the middle of sentences."""
    text = "".join(TEXTS.values()).replace("\\\n", " ")
    blocks = [line.strip() for line in text.splitlines() if line.startswith("    ") and "python -m bench" in line]
    sentences = [" ".join(found.split()) for found in re.findall(r"`(python -m bench[^`]*)`", text)]
    return list(dict.fromkeys([*blocks, *sentences]))


def arguments() -> list[list[str]]:
    """The arguments of these commands, as a shell makes them."""
    done = subprocess.run(["bash", "-euc", SHELL + "\n".join(written_commands())], capture_output=True, text=True)
    assert not done.stderr
    calls = [line.split("\037")[:-1] for line in done.stdout.splitlines()]
    return [[PLACEHOLDERS.get(word, word) for word in call[2:]] for call in calls if call[:2] == ["-m", "bench"]]


COMMANDS = arguments()


def _marked(example: str) -> Any:
    """One that trains takes minutes."""
    return pytest.param(example, marks=pytest.mark.slow) if "bench.run(" in example else example


@pytest.fixture(autouse=True)
def folder_of_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the files that the texts speak of."""
    times = 0.05 * np.arange(10_000)
    columns = np.column_stack([times, np.cos(times), np.sin(times)])
    np.savetxt(tmp_path / "my.csv", columns, delimiter=",", header="time,x,y", comments="")
    for example in EXAMPLES:
        if named := re.match(r'"""(\w+\.py): ', example):
            (tmp_path / named[1]).write_text(example)
    for path in ("path/to/my_suite.py", "runs/tuning/tuned_held_out.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("from bench.suites.chaos import suite\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("included", "folders"):
        monkeypatch.setattr(plugins, name, [])
    for name in ("my_suite", "my_system", "my_metric", "my_data", "tuned_held_out"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("example", [_marked(each) for each in EXAMPLES], ids=lambda text: text.splitlines()[0])
def test_an_example_in_python_runs_as_it_is_shown(example: str):
    module = SimpleNamespace(__name__="example")
    names: dict[str, Any] = vars(module)
    exec(compile(example, "example", "exec", dont_inherit=True), names)
    defined = [one for one in names.values() if isinstance(one, type) and one.__module__ == "example"]
    suites = [one for one in names.values() if isinstance(one, Suite) and one.name != "chaos"]
    for kind in defined:
        if issubclass(kind, Simulated):
            assert sample(kind(), SMALL, 0).test.states.isfinite().all()
    for suite in suites:
        cells = suite.cells()
        assert {cell.system for cell in cells} == set(suite.systems)
        for learner in suite.learners:
            if isinstance(learner, Learner) and type(learner) in defined:
                data = sample(cells[0].system, SMALL, 0)
                (predictor,) = learner.fit_replicas(data, Budget(), [0])
                past, times = data.test.between(0, 4), data.test.times[:, 4:]
                assert predictor.forecast(past, times).states.isfinite().all()
    metrics = [one for one in names.values() if isinstance(one, Metric)] if "run" not in names else []
    if metrics:
        data = sample(LinearSpiral(), SMALL, 0)
        assert evaluate(Persistence().fit(data), data, metrics).notna().all()
    assert defined or suites or metrics or {"run", "data"} & names.keys()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_one_that_can_be_given(words: list[str]):
    """Its options are read; lists and templates are made, and of suites what is asked for is found."""
    if words[0] in ("list", "new"):
        assert exit_code(words) == 0
        return
    command: Any = typer.main.get_command(app)
    context, rest = command.make_context("bench", list(words)), list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest[0]]
        context, rest = command.make_context(rest[0], rest[1:], parent=context), rest[1:]
    given = {field.name: context.params[field.name] for field in fields(Request) if field.name in context.params}
    if given.get("suite"):
        request = Request(**given)
        assert read_shard(request.shard)
        plugins.include(request.include)
        suite = select(load(request.suite), request.systems, request.learners)
        assert suite.cells(request.budget)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path):
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "index.html").read_text()
    assert not re.findall(r'(?:src|href)="https?://(?!squidfunk|www.mkdocs|github)[^"]*\.(?:js|css|woff2?)"', page)


def test_the_citation_is_of_the_release_that_the_changelog_tells_of():
    released = re.search(r"^## \[(\S+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = re.findall(r"^(?:version|date-released): (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    packaged = re.search(r'^version = "(\S+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert released
    assert packaged
    assert (*released.groups(), packaged[1]) == (*cited, cited[0])


def test_commands_and_examples_are_found():
    assert len(EXAMPLES) >= 3
    assert {
        "run",
        "plan",
        "status",
        "report",
        "compare",
        "check",
        "doctor",
        "new",
        "tune",
        "time",
        "merge",
        "baseline",
    } <= {words[0] for words in COMMANDS}
