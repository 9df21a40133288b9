"""`python -m bench try`: a suite for a recording that nobody has said anything about."""

from pathlib import Path

import numpy as np
import pytest

from bench.commands.try_data import suite_of
from bench.errors import UserError
from results.store.run import Run
from systems import Lorenz, Recorded
from systems.recordings.turns import turning_time
from tests.support.commands import exit_code


def recording(path: Path, samples: int = 400, step: float = 0.1) -> Path:
    times = step * np.arange(samples)
    table = np.column_stack([times, np.cos(times), np.sin(times)])
    np.savetxt(path, table, delimiter=",", header="time,x,y", comments="")
    return path


def test_the_time_of_a_turn_is_a_period_or_the_oscillation_of_chaos(tmp_path: Path):
    circle = Recorded(str(recording(tmp_path / "circle.csv")))
    assert turning_time(circle.recording) == pytest.approx(2 * np.pi, rel=0.01)
    times = 0.02 * np.arange(5000)
    solution = Lorenz().solve(Lorenz().initial_states(1, np.random.default_rng(0)), times)[0, :, 2:]
    table = np.column_stack([times, solution])
    np.savetxt(tmp_path / "z.csv", table, delimiter=",", header="time,z", comments="")
    assert turning_time(Recorded(str(tmp_path / "z.csv")).recording) == pytest.approx(0.75, rel=0.05)


def test_the_protocol_is_one_that_the_recording_is_long_enough_for(tmp_path: Path):
    for samples in 150, 5000:
        suite = suite_of(recording(tmp_path / f"{samples}.csv", samples), None, 1)
        (cell, *_) = suite.cells("quick")
        assert cell.system.timescale == pytest.approx(6.28, abs=0.04)
        assert "(the time of one turn" in suite.description
    assert cell.sampling.horizon == 8.0


def test_what_cannot_be_tried_is_said_in_one_line(tmp_path: Path):
    with pytest.raises(UserError, match=r"flat.csv: no channel goes up and down .* --timescale"):
        rising = np.column_stack([np.arange(100.0)] * 2)
        np.savetxt(tmp_path / "flat.csv", rising, delimiter=",", header="time,x", comments="")
        suite_of(tmp_path / "flat.csv", None, 1)
    with pytest.raises(UserError, match=r"nothing.csv"):
        suite_of(tmp_path / "nothing.csv", None, 1)


@pytest.mark.slow
def test_a_recording_is_tried_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = recording(tmp_path / "mine.csv", samples=1200)
    assert exit_code(["try", str(path), "--seeds", "1", "--out", str(tmp_path / "runs")]) == 0
    assert "forecasts over" in capsys.readouterr().out
    run = Run.load(tmp_path / "runs" / "try-mine")
    assert len(run.compared) == 5
    assert (run.folder / "report.html").exists()
