"""Tracking: event files hold the curves, settings and metrics of the records, and nothing else knows about them."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from bench.exports import tracking
from results import Status
from results.report import page as report_room
from results.store.run import Run
from tests.support.commands import exit_code
from tests.support.synthetic import Size, build

SIZE = Size(step=0.1, horizon=2.0, test=2, climate_samples=200, points=3, seeds=(0, 1))
SOURCE = """
from bench.suite import Suite
from learners import Persistence
from metrics import nrmse
from systems import LinearSpiral
from tests.support.stubs import TINY, Instant, Raising

suite = Suite(
    name="toy", description="A toy.", systems=(LinearSpiral(),), learners=(Instant(width=16), Raising()),
    metrics=(nrmse,), sampling=TINY, seeds=1,
)
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Runs a small suite's command in an empty folder; gives its exit code."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(report_room, "write_report", lambda run, **_: run.folder / "report.html")
    (tmp_path / "toy_suite.py").write_text(SOURCE)

    place = ["--suite", str(tmp_path / "toy_suite.py"), "--out", str(tmp_path / "runs")]

    def run(*arguments: str) -> int:
        return exit_code(["run", *place, "--jobs", "1", *arguments])

    yield run
    sys.modules.pop("toy_suite", None)


def events(place: Path) -> EventAccumulator:
    read = EventAccumulator(str(place))
    return read.Reload()


def settings(read: EventAccumulator) -> dict[str, object]:
    """The table of hyper-parameters of one trial."""
    kind: Any = getattr(plugin_data_pb2, "HParamsPluginData")  # noqa: B009 (made at run time)
    start = kind.FromString(read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    values = start.session_start_info.hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}


def test_curves_and_metrics_are_those_of_the_records(tmp_path):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet", "Persistence"), size=SIZE))
    folder = tracking.write(run)
    assert folder == run.folder / "tensorboard"
    trials = {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*")}
    assert trials == {f"Lorenz/{learner}/seed-{seed}" for learner in ("ResNet", "Persistence") for seed in (0, 1)}
    cell = next(cell for cell in run.finished if cell.learner == "ResNet")
    curve, read = run.store.curve(cell.key).query("seed == 1"), events(folder / "Lorenz" / "ResNet" / "seed-1")
    for column, tag in tracking.CURVES.items():
        points = curve.dropna(subset=column)
        assert [one.step for one in read.Scalars(tag)] == points["update"].tolist()
        assert [one.value for one in read.Scalars(tag)] == pytest.approx(points[column].tolist())
    record = next(one for one in run.records[cell.key] if one.seed == 1)
    for one in record.measurements:
        (point,) = read.Scalars(f"metric/{one.metric}")
        assert (point.step, point.value) == (curve["update"].max(), pytest.approx(one.value))


def test_trials_that_failed_have_no_metrics_but_their_status(tmp_path):
    status: dict[tuple[str, str], Status] = {("Lorenz", "ResNet"): "timeout"}
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet",), size=SIZE, status=status))
    read = events(tracking.write(run) / "Lorenz" / "ResNet" / "seed-0")
    assert not [tag for tag in read.Tags()["scalars"] if tag.startswith("metric/")]
    assert settings(read)["status"] == "timeout"


def test_writing_again_replaces_what_was_there(tmp_path):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet",), size=SIZE))
    folder = tracking.write(run)
    (folder / "stale").touch()
    before = {path.name for path in run.folder.iterdir()}
    tracking.write(run)
    assert not (folder / "stale").exists()
    assert len(list(folder.glob("Lorenz/ResNet/seed-0/*"))) == 1
    assert {path.name for path in run.folder.iterdir()} == before


def test_what_fails_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet",), size=SIZE))
    before = {path.name for path in run.folder.iterdir()}
    monkeypatch.setattr(tracking, "hparams", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tracking.write(run)
    assert {path.name for path in run.folder.iterdir()} == before


def test_the_option_writes_the_settings_of_every_trial_beside_the_report(toy, tmp_path, capsys):
    assert toy("--track", "tensorboard") == 3
    folder = tmp_path / "runs" / "toy" / "tensorboard"
    assert f"events: {folder}\n" in capsys.readouterr().out
    good = settings(events(folder / "LinearSpiral" / "Instant-width-16" / "seed-0"))
    assert good["learner"] == "Instant"
    assert good["learner.width"] == 16
    assert good["budget.effort"] == 1
    assert good["sampling.channels"] == "[]"
    assert good["status"] == "ok"
    bad = settings(events(folder / "LinearSpiral" / "Raising" / "seed-0"))
    assert bad["status"] == "crashed"
    assert "width must be even" in str(bad["reason"])


def test_without_the_option_there_is_no_folder(toy, tmp_path):
    assert toy("--quiet") == 3
    assert not (tmp_path / "runs" / "toy" / "tensorboard").exists()


def test_a_missing_extra_is_told_before_anything_is_run(toy, tmp_path, monkeypatch, capsys):
    there = importlib.util.find_spec
    monkeypatch.setattr("bench.commands.run.find_spec", lambda name: None if name == "tensorboard" else there(name))
    assert toy("--track", "tensorboard") == 2
    told = "error: --track tensorboard needs the extra track: pip install 'dynamics-bench[track]'\n"
    assert capsys.readouterr() == ("", told)
    assert not (tmp_path / "runs").exists()


def test_an_unknown_tracker_is_refused(toy, capsys):
    assert toy("--track", "tensorbord") == 2
    assert "but got 'tensorbord'" in capsys.readouterr().err


def test_runs_that_write_at_the_same_time_do_not_meet(tmp_path, monkeypatch):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet",), size=SIZE))
    monkeypatch.setattr("os.getpid", lambda: 7)  # as in containers that share a volume
    with ThreadPoolExecutor(4) as threads:
        folders = [made.result() for made in [threads.submit(tracking.write, run) for _ in range(4)]]
    assert set(folders) == {run.folder / "tensorboard"}
    assert len(list(folders[0].glob("Lorenz/ResNet/seed-*/*"))) == len(SIZE.seeds)
    assert not list(run.folder.glob(".tensorboard*"))
