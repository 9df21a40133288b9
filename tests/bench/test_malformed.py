"""Whatever is written wrong, in commands, suites, records and manifests: one clear line, no traceback, no file left."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from bench.catalogue import plugins
from results import DamagedCellError, Store
from results.report.page import write_report
from results.store.errors import BrokenRunError
from results.store.run import Run
from tests.support.commands import exit_code
from tests.support.synthetic import Size, build

FEW, MANY, SLOW = 100, 2000, 15  # the last for what takes a third of a second
CALM = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
SMALL = Size(step=0.1, horizon=2.0, test=2, climate_samples=50, points=2, seeds=(0,))
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs"), ("Lorenz",), ("Persistence",), SMALL, suite="kept")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(plugins, "included", [])

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = exit_code(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield run
    sys.modules.pop("fuzzed_suite", None)


def check_mistake(code: int, out: str, err: str) -> None:
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


WORDS = some.sampled_from(
    [
        "NeuralODE",
        "ResNet",
        "lookahead",
        "width",
        "=",
        "[",
        "]",
        ",",
        ".",
        "'",
        "1e999",
        "-3",
        "nan",
        "None",
        "\x00",
        "é",
    ]
)
OVERRIDES = some.lists(WORDS | some.text(max_size=4), min_size=1, max_size=9).map("".join)


def check_override(command: Command, text: str) -> None:
    """A learner that cannot be read is a mistake; one that can is planned, and nothing is written either way."""
    code, out, err = command("plan", "--suite", "smoke", f"--learner={text}")
    if code:
        check_mistake(code, out, err)
    assert list(Path().iterdir()) == []


@settings(max_examples=SLOW, deadline=None, suppress_health_check=CALM)
@given(text=OVERRIDES)
def test_malformed_overrides_are_mistakes(command: Command, text: str):
    check_override(command, text)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=CALM)
@given(text=OVERRIDES)
def test_many_malformed_overrides_are_mistakes(command: Command, text: str):
    check_override(command, text)


EXPRESSIONS = some.sampled_from(
    [
        "Suite()",
        "Suite(name=1)",
        "None",
        "1/0",
        "[",
        "x",
        "Lorenz",
        "Lorenz()",
        "(Lorenz(),)",
        "()",
        "-1",
        "'../a'",
        "{}",
    ]
)
FIELDS = some.sampled_from(["name", "description", "systems", "learners", "metrics", "sampling", "seeds", "nonsense"])
SUITES = some.dictionaries(FIELDS, EXPRESSIONS, max_size=5).map(
    lambda given: (
        "from bench.suite import Suite\nfrom systems import Lorenz\n"
        f"suite = Suite({', '.join(f'{name}={text}' for name, text in given.items())})\n"
    )
) | some.text(max_size=60)


def check_suite(command: Command, text: str) -> None:
    sys.modules.pop("fuzzed_suite", None)
    with TemporaryDirectory() as folder:  # each under a path of its own: Python caches what it has imported
        path = Path(folder) / "fuzzed_suite.py"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        before = sys.path[:]
        check_mistake(*command("run", "--suite", str(path)))
        sys.path[:] = before
        assert [entry.name for entry in Path(folder).iterdir()] == ["fuzzed_suite.py"]
    assert list(Path().iterdir()) == []


@settings(max_examples=SLOW, deadline=None, suppress_health_check=CALM)
@given(text=SUITES)
def test_malformed_suites_are_mistakes(command: Command, text: str):
    check_suite(command, text)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=CALM)
@given(text=SUITES)
def test_many_malformed_suites_are_mistakes(command: Command, text: str):
    check_suite(command, text)


VALUES = some.sampled_from(
    [
        "time",
        "x",
        "trajectory",
        "0",
        "1",
        "2.5",
        "-1",
        "nan",
        "1e999",
        "1e200",
        "1e-200",
        "1_0",
        "0;1",
        "a",
        "",
        '"',
        "\x00",
        "é",
    ]
)
TABLES = some.lists(some.lists(VALUES, max_size=3).map(",".join), max_size=6).map("\n".join) | some.text(max_size=60)
RECORDED = """
from bench.suite import Suite
from learners import Persistence
from metrics import nrmse
from systems import Recorded, Sampling

suite = Suite("recorded", "", (Recorded({path!r}),), (Persistence(),), (nrmse,), sampling=Sampling(), seeds=1)
"""


def check_table(command: Command, text: str) -> None:
    """Data that cannot be read are a mistake in one line; those that can are planned, and nothing is written."""
    sys.modules.pop("fuzzed_suite", None)
    with TemporaryDirectory() as folder:
        table, suite = Path(folder) / "table.csv", Path(folder) / "fuzzed_suite.py"
        table.write_bytes(text.encode(errors="surrogatepass"))
        suite.write_text(RECORDED.format(path=str(table)))
        before = sys.path[:]
        code, out, err = command("plan", "--suite", str(suite))
        sys.path[:] = before
        if code:
            check_mistake(code, out, err)
        assert {entry.name for entry in Path(folder).iterdir()} == {"table.csv", "fuzzed_suite.py"}
    assert list(Path().iterdir()) == []


@settings(max_examples=SLOW, deadline=None, suppress_health_check=CALM)
@given(text=TABLES)
def test_malformed_tables_are_mistakes(command: Command, text: str):
    check_table(command, text)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=CALM)
@given(text=TABLES)
def test_many_malformed_tables_are_mistakes(command: Command, text: str):
    check_table(command, text)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def check_records(content: Any) -> None:
    """Records of another shape are damage, of which the reader says so."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        with store.stage("abc") as place:
            (place / "records.json").write_text(content if isinstance(content, str) else json.dumps(content))
        said = ""
        try:
            assert isinstance(store.records("abc"), list)
        except DamagedCellError as error:
            said = str(error)
        assert not said or "records.json" in said


@settings(max_examples=FEW, deadline=None)
@given(content=JSON | some.text(max_size=30))
@example(content="0\x00000")  # which JSON takes for UTF-16
def test_malformed_records_are_damage(content: Any):
    check_records(content)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None)
@given(content=JSON | some.text(max_size=30))
def test_many_malformed_records_are_damage(content: Any):
    check_records(content)


def check_manifest(run_folder: Path, name: str, content: Any) -> None:
    manifest = json.loads((run_folder / "manifest.json").read_text())
    with TemporaryDirectory() as folder:
        (Path(folder) / "manifest.json").write_text(json.dumps(manifest | {name: content}))
        said = ""
        try:
            run = Run.load(Path(folder))
            assert len(run.cells) == len(run.manifest["cells"])
        except BrokenRunError as error:
            said = str(error)
        assert not said or "manifest.json" in said


PARTS = some.sampled_from(["suite", "seeds", "systems", "learners", "metrics", "cells"])


@settings(max_examples=FEW, deadline=None, suppress_health_check=CALM)
@given(name=PARTS, content=JSON)
def test_malformed_manifests_are_told(run_folder: Path, name: str, content: Any):
    check_manifest(run_folder, name, content)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=CALM)
@given(name=PARTS, content=JSON)
def test_many_malformed_manifests_are_told(run_folder: Path, name: str, content: Any):
    check_manifest(run_folder, name, content)


EVIL = "<script>alert(1)</script>"


def test_names_reasons_and_logs_with_markup_are_escaped_in_the_report(tmp_path: Path):
    folder = build(tmp_path, ("Lorenz",), ("ResNet", "Persistence"), SMALL, {("Lorenz", "ResNet"): "crashed"}, "kept")
    run = Run.load(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    cell = next(cell for cell in run.cells if cell.learner == "ResNet")
    records = json.loads((run.store.path(cell.key) / "records.json").read_text())
    log = f"{EVIL}\n</pre>{EVIL}\n"
    for record in records:
        record |= {"learner": f"ResNet[{EVIL}]", "reason": f"{EVIL} broke"}
    with run.store.stage("evil") as place:
        for path in run.store.path(cell.key).iterdir():
            (place / path.name).write_bytes(path.read_bytes())
        (place / "records.json").write_text(json.dumps(records))
        (place / "log.txt").write_text(log)
    text = json.dumps(manifest).replace(cell.key, "evil").replace('"ResNet"', f'"ResNet[{EVIL}]"')
    evil = json.loads(text) | {"description": EVIL, "command": EVIL}
    (folder / "manifest.json").write_text(json.dumps(evil))
    page = write_report(Run.load(folder)).read_text()
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
