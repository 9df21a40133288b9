"""`python -m bench forecast`: a series of one's own, continued by a model that a run has kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import bench
from bench.cells.run import run_cell
from bench.planning.plan import plan_suite
from bench.request import Request
from bench.suite import Suite
from learners import NVAR, NeuralODE, Training
from metrics import nrmse
from systems import LinearSpiral, Sampling, Trajectories
from tests.support.commands import exit_code

SMALL = Sampling(trajectories=4, samples=50, valid=2, test=4, climate=1, horizon=1.0, climate_horizon=4.0)
BRIEF = NeuralODE(width=8, depth=1, training=Training(updates=5, validations=1))
SUITE = Suite("small", "", (LinearSpiral(),), (BRIEF, NVAR()), (nrmse,), SMALL, seeds=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> bench.Run:
    planned = plan_suite(SUITE, Request(suite="small", out=tmp_path_factory.mktemp("runs")))
    planned.write_manifest()
    for one in planned.cells:  # in this process
        with planned.store.stage(one.key) as folder:
            run_cell(one, planned.store, folder)
    return bench.Run.load(planned.folder)


def series(folder: Path, step: float) -> Path:
    times = step * np.arange(60)
    states = LinearSpiral().solve(np.array([[1.0, 0.5]]), times)[0]
    pd.DataFrame({"time": 3.0 + times, "left": states[:, 0], "right": states[:, 1]}).to_csv(
        folder / "mine.csv", index=False
    )
    return folder / "mine.csv"


def test_a_kept_model_forecasts_a_series_as_the_fitted_one_does(run: bench.Run, tmp_path: Path, capsys):
    system = LinearSpiral()
    path = series(tmp_path, SMALL.step * system.timescale)
    given = ["forecast", str(run.stored.folder), str(path), "-l", "NeuralODE", "--seed", "1"]
    assert exit_code([*given, "--samples", "15", "--held-back", "20"]) == 0
    table, picture = map(Path, capsys.readouterr().out.split())
    assert table.stem.startswith("mine-LinearSpiral-NeuralODE")  # so that no other system's takes its place
    assert picture.read_bytes().startswith(b"\x89PNG")
    found, data = pd.read_csv(table), pd.read_csv(path)
    before: Any = data.iloc[:40]
    assert list(found.columns) == ["trajectory", "time", "left", "right"]
    np.testing.assert_allclose(found["time"], data["time"][40:55], rtol=1e-9)
    past = Trajectories(*(torch.tensor(before[name].to_numpy())[None] for name in ("time", ["left", "right"])))
    model = run.model("LinearSpiral", run.stored.learners[0], seed=1)
    expected = model.forecast_after(past, torch.tensor(found["time"].to_numpy() - data["time"][39])).states[0]
    np.testing.assert_allclose(found[["left", "right"]], expected, rtol=1e-6, atol=1e-9)


def test_what_a_model_cannot_go_on_from_is_said_in_one_line(run: bench.Run, tmp_path: Path, capsys):
    path, folder = series(tmp_path, 0.37), str(run.stored.folder)
    for learner, words in (("NVAR", "resample the series"), ("ResNt", "unknown learner 'ResNt'")):
        assert exit_code(["forecast", folder, str(path), "-l", learner]) == 2
        assert words in capsys.readouterr().err
    assert exit_code(["forecast", folder, str(path), "-l", "NeuralODE", "--seed", "7"]) == 2
    assert "unknown seed '7': choose from 0, 1" in capsys.readouterr().err
    pd.DataFrame({"time": np.arange(9.0), "x": np.arange(9.0)}).to_csv(tmp_path / "one.csv", index=False)
    assert exit_code(["forecast", folder, str(tmp_path / "one.csv"), "-l", "NeuralODE"]) == 2
    assert "the model was fitted to 2 channels" in capsys.readouterr().err
