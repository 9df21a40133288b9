"""The command `site`: which runs it joins, and the commands that compute their cells anew."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from bench.cli import app
from bench.commands.site import reproduce
from bench.errors import MISTAKEN, NOTHING_MEASURED
from bench.planning.plan import plan
from bench.request import Request
from results import Store
from results.store.run import Run, StoredCell
from tests.support.commands import exit_code
from tests.support.synthetic import Size, build

SMALL = Size(climate_samples=60, points=3, seeds=(0, 1))
LORENZ = ("Lorenz",)
FIELDS = ("suite", "systems", "learners", "sweeps", "seeds", "data_seed", "budget")


def test_runs_of_several_suites_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folders = [str(build(tmp_path / name, LORENZ, size=SMALL, suite=name)) for name in ("one", "two")]
    assert exit_code(["site", *folders, "--out", str(tmp_path / "site")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'site' / 'index.html'}\n"
    assert {path.parent.name for path in (tmp_path / "site").rglob("index.html")} == {"site", "one", "two"}


def test_two_runs_of_one_suite_are_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folders = [str(build(tmp_path / name, LORENZ, size=SMALL)) for name in ("a", "b")]
    assert exit_code(["site", *folders, "--out", str(tmp_path / "site")]) == MISTAKEN
    (line,) = capsys.readouterr().err.splitlines()
    assert "join their stores with `python -m bench merge`" in line
    assert not (tmp_path / "site").exists()


def test_the_folder_of_a_run_is_no_place_for_its_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = build(tmp_path / "store", LORENZ, size=SMALL, suite="one")
    (folder / "report.html").write_text("a report")
    before = {path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert exit_code(["site", str(folder), "--out", str(tmp_path / "store")]) == MISTAKEN
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{folder} is the folder of a run" in line
    assert "name another folder with --out" in line
    assert {path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()} == before


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_joined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken, whole = (build(tmp_path / name, LORENZ, size=SMALL, suite=name) for name in ("one", "two"))
    (broken / "manifest.json").write_text("{")
    assert exit_code(["site", str(broken), str(whole), "--out", str(tmp_path / "site")]) == MISTAKEN
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{broken / 'manifest.json'} cannot be read" in line
    assert {path.parent.name for path in (tmp_path / "site").rglob("index.html")} == {"site", "two"}


def test_a_run_without_cells_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = build(tmp_path, LORENZ, size=SMALL)
    for path in (tmp_path / "cells").glob("*/checksums.json"):
        path.unlink()
    assert exit_code(["site", str(folder), "--out", str(tmp_path / "site")]) == NOTHING_MEASURED
    assert "left out: no cell" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def request_of(command: str) -> Request:
    """What a command line of `run` asks for."""
    group: Any = typer.main.get_command(app)
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "bench", "run"]
    context = group.commands["run"].make_context("run", words[4:])
    given = {name: context.params[name] for name in FIELDS}
    return Request(**given)


def test_the_command_of_a_cell_asks_for_that_very_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    learners = ("NeuralODE[lookahead=5]", "Analogue", "WindowedRNN[cell=lstm]")
    asked = Request(suite="smoke", systems=("Lorenz[rho=30]",), learners=learners, seeds=1, data_seed=7, budget="quick")
    planned = plan(asked)
    run = Run(planned.folder, planned.manifest, Store(Path("runs")))
    assert len(run.cells) == 3
    for cell in run.cells:
        again = plan(request_of(reproduce(run, cell)))
        assert cell.key in {one.key for one in again.cells}, cell


def test_the_command_of_a_swept_cell_asks_for_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    asked = Request(
        suite="smoke", systems=("Lorenz",), learners=("Analogue",), sweeps=("Sampling.noise=0,0.1",), seeds=1
    )
    planned = plan(asked)
    run = Run(planned.folder, planned.manifest, Store(Path("runs")))
    again = plan(request_of(reproduce(run, run.cells[-1])))
    assert {cell.key for cell in run.cells} == {one.key for one in again.cells}


def test_a_suite_that_was_made_in_python_has_no_command(tmp_path: Path):
    folder = build(tmp_path, LORENZ, size=SMALL, suite="mine")
    run = Run.load(folder)
    assert reproduce(run, run.cells[0]).startswith("# suite mine was made in Python, by: python -m bench")
    assert isinstance(run.cells[0], StoredCell)
