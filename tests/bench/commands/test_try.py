"""`python -m bench try`: a suite for a recording that nobody has said anything about."""

from pathlib import Path

import numpy as np
import pytest

from bench.commands.try_data import suite_of
from bench.errors import UserError
from bench.suite import Suite
from results.store.run import Run
from systems import Lorenz, Recorded
from systems.recordings.turns import turning_time
from tests.support.commands import ROOT, exit_code


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
    with pytest.raises(UserError, match=r"8 timescales of 0.001 are less than the 0.1 between two samples"):
        suite_of(recording(tmp_path / "circle.csv"), 0.001, 1)


def trajectories(path: Path, *lengths: int, step: float = 0.1, parts: str = "") -> Path:
    """A recording of several circles of these lengths; `parts` has an initial of train, valid or test for each."""
    names = {"r": "train", "v": "valid", "t": "test"}
    lines = ["time,trajectory,x,y" + (",part" if parts else "")]
    for place, length in enumerate(lengths):
        for t in step * np.arange(length):
            part = f",{names[parts[place]]}" if parts else ""
            lines.append(f"{t:.6f},{place},{np.cos(t):.9f},{np.sin(t):.9f}{part}")
    path.write_text("\n".join(lines))
    return path


@pytest.mark.filterwarnings("ignore::systems.recordings.recording.RecordingNote")
@pytest.mark.parametrize("place", range(8))
def test_the_protocol_fits_those_runs_that_are_dealt_to_testing(tmp_path: Path, place: int):
    lengths = [1500 if place == number else 150 for number in range(8)]
    suite = suite_of(trajectories(tmp_path / "uneven.csv", *lengths), None, 1)
    (cell, *_) = suite.cells("quick")
    assert cell.sampling.context in (22, 32)  # a quarter of 0.6 of 150 samples, or as many as there are at most


def test_the_protocol_fits_those_runs_that_the_file_says_are_for_testing(tmp_path: Path):
    suite = suite_of(trajectories(tmp_path / "parts.csv", 1500, 150, 150, parts="rvt"), None, 1)
    (cell, *_) = suite.cells("quick")
    assert cell.sampling.context == 22
    suite = suite_of(trajectories(tmp_path / "long.csv", 15, 150, 1500, parts="rvt"), None, 1)
    (cell, *_) = suite.cells("quick")
    assert cell.sampling.context == 14  # so that there is something to train on


@pytest.mark.parametrize(
    ("file", "name"), [("mine", "try-mine"), ("my-data.v2", "try-my-data.v2"), ("my data (1)", "try-my-data-1-")]
)
def test_any_name_of_a_file_makes_one_of_a_suite(tmp_path: Path, file: str, name: str):
    assert suite_of(recording(tmp_path / f"{file}.csv"), None, 1).name.startswith(name)
    assert isinstance(suite_of(recording(tmp_path / "(1).csv"), None, 1), Suite)


def test_the_columns_of_a_file_are_chosen_by_options_that_its_messages_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "mine.csv"
    rows = [f"{t:.1f},{np.cos(t):.9f},note,7" for t in 0.1 * np.arange(400)]
    path.write_text("\n".join(["Time (s),x,text,same", *rows]))
    plans: list[Suite] = []
    monkeypatch.setattr("bench.planning.plan.plan_suite", lambda suite, request: plans.append(suite))
    monkeypatch.setattr("bench.commands.try_data.run_and_report", lambda plan, *_, **__: plan() or 0)
    for options, remedy in [
        ((), "say with --time which holds the times"),
        (("--time", "Time (s)"), "choose the other columns with --channel"),
        (("--time", "Time (s)", "--channel", "x", "--channel", "same"), "name the others in --channel"),
    ]:
        assert exit_code(["try", str(path), *options]) == 2
        printed = capsys.readouterr()
        assert remedy in printed.err
        assert not printed.out
    assert exit_code(["try", str(path), "--time", "Time (s)", "--channel", "x"]) == 0
    assert [one.systems for one in plans] == [(Recorded(str(path), 6.28, channels=("x",), time="Time (s)"),)]


def test_its_help_names_a_page_that_there_is(capsys: pytest.CaptureFixture[str]):
    assert exit_code(["try", "--help"]) == 0
    assert "see docs/own.md, Data" in capsys.readouterr().out
    assert "\n## Data\n" in (ROOT / "docs" / "own.md").read_text()


def test_nothing_is_written_into_a_store_of_another_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = recording(tmp_path / "mine.csv")
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "store.json").write_text('{"version": 2}')
    assert exit_code(["try", str(path), "--out", str(tmp_path / "v2")]) == 2
    printed = capsys.readouterr()
    assert "v2 is a store of version 2, but this program reads version 1" in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert [one.name for one in (tmp_path / "v2").iterdir()] == ["store.json"]


@pytest.mark.slow
def test_a_recording_is_tried_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = recording(tmp_path / "mine.csv", samples=1200)
    assert exit_code(["try", str(path), "--seeds", "1", "--out", str(tmp_path / "runs")]) == 0
    assert "forecasts over" in capsys.readouterr().out
    run = Run.load(tmp_path / "runs" / "try-mine")
    assert len(run.compared) == 5
    assert (run.folder / "report.html").exists()
