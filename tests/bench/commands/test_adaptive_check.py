"""`check --adaptive`: more seeds for the very cells of a run, from wherever it is called, until it is stopped."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from bench.commands import check
from bench.errors import UserError
from bench.planning.plan import Plan, plan
from bench.request import Request
from results.gate.baseline import Baseline

SUITE = """
from bench.suite import Suite
from learners import Persistence, ResNet
from systems import LinearSpiral, Lorenz, Sampling
from metrics import nrmse

suite = Suite(
    name="own", description="Own", systems=(LinearSpiral(), Lorenz(), Lorenz(rho=30.0)), metrics=(nrmse,), seeds=2,
    learners=(ResNet(), ResNet(width=8), Persistence()), sampling=Sampling(step=0.02, trajectories=4, samples=60),
)
"""
FOUR = Baseline({"seeds": [0, 1, 2, 3]})


@pytest.fixture
def planned(tmp_path: Path, monkeypatch) -> Plan:
    """A run of a part of a suite in a file, called from the folder of the file, and from there no more."""
    path = tmp_path / f"own_{uuid4().hex}.py"  # of which one process knows but one of each name
    path.write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    asked = Request(path.name, ["Lorenz[rho=30]"], ["ResNet[width=8]"], out=tmp_path / "runs", jobs=1)
    made = plan(asked)
    made.folder.mkdir(parents=True)
    made.write_manifest()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return made


def cells(planned: Plan) -> list[tuple[str, str]]:
    return [(one.cell.system_label, one.cell.learner_label) for one in planned.cells]


def test_more_seeds_are_of_the_very_cells_of_the_run(planned: Plan, monkeypatch):
    again: list[Plan] = []
    monkeypatch.setattr(check, "run_missing", lambda plan, conditions: (again.append(plan), plan.write_manifest()))
    monkeypatch.setattr(check, "report_on", lambda plan, show: None)
    assert check._add_seeds(FOUR, planned.folder)
    assert (
        cells(again[0])
        == cells(planned)
        == [("Lorenz[rho=30.0]", "ResNet[width=8]"), ("Lorenz[rho=30.0]", "Persistence")]
    )
    assert {one.cell.seeds for one in again[0].cells} == {(0, 1, 2, 3)}
    assert not check._add_seeds(FOUR, planned.folder)


def test_a_run_on_a_gpu_is_run_again_on_one(planned: Plan, monkeypatch):
    about = {**planned.manifest["environment"], "device": "cuda (NVIDIA H200)"}
    (planned.folder / "manifest.json").write_text(json.dumps({**planned.manifest, "environment": about}))
    asked: list[Request] = []
    monkeypatch.setattr(check, "run_again", lambda request, folder: asked.append(request))
    assert check._add_seeds(FOUR, planned.folder)
    assert [one.device for one in asked] == ["cuda"]


def test_a_check_that_is_stopped_leaves_the_run_as_it_was(planned: Plan, monkeypatch, capsys):
    def stop(plan: Plan, conditions) -> None:
        plan.write_manifest()
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run_missing", stop)
    before = (planned.folder / "manifest.json").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        check._add_seeds(FOUR, planned.folder)
    assert (planned.folder / "manifest.json").read_bytes() == before
    assert "the same command resumes" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["cells", "folder"])
def test_cells_that_are_not_those_of_the_run_are_never_run(planned: Plan, change: str, monkeypatch):
    monkeypatch.setattr(check, "run_missing", lambda *_: pytest.fail("ran"))
    folder = planned.folder
    if change == "folder":
        folder = folder.rename(folder.with_name("renamed"))
    else:
        (folder / "manifest.json").write_text(json.dumps({**planned.manifest, "cells": planned.manifest["cells"][1:]}))
    with pytest.raises(UserError, match="run it with --seeds 4"):
        check._add_seeds(FOUR, folder)
