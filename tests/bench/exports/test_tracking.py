"""Tracking: event files hold the curves, settings and metrics of the records, and nothing else knows about them."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from bench.exports.trackers import mlflow as to_mlflow
from bench.exports.trackers import tensorboard as tracking
from bench.exports.trackers import wandb as to_wandb
from bench.exports.trackers.tracked import CURVES, trials
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


def written(run: Run) -> Path:
    """The folder of event files of a run, once they are written."""
    assert tracking.write(run) == f"tensorboard --logdir {run.folder / 'tensorboard'}"
    return run.folder / "tensorboard"


def settings(read: EventAccumulator) -> dict[str, object]:
    """The table of hyper-parameters of one trial."""
    kind: Any = getattr(plugin_data_pb2, "HParamsPluginData")  # noqa: B009 (made at run time)
    start = kind.FromString(read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    values = start.session_start_info.hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}


def test_curves_and_metrics_are_those_of_the_records(tmp_path):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet", "Persistence"), size=SIZE))
    folder = written(run)
    trials = {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*")}
    assert trials == {f"Lorenz/{learner}/seed-{seed}" for learner in ("ResNet", "Persistence") for seed in (0, 1)}
    cell = next(cell for cell in run.finished if cell.learner == "ResNet")
    curve, read = run.store.curve(cell.key).query("seed == 1"), events(folder / "Lorenz" / "ResNet" / "seed-1")
    for column, tag in CURVES.items():
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
    read = events(written(run) / "Lorenz" / "ResNet" / "seed-0")
    assert not [tag for tag in read.Tags()["scalars"] if tag.startswith("metric/")]
    assert settings(read)["status"] == "timeout"


def test_writing_again_replaces_what_was_there(tmp_path):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet",), size=SIZE))
    folder = written(run)
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
    assert f"to look at: tensorboard --logdir {folder}\n" in capsys.readouterr().out
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
    told = "error: --track tensorboard needs an extra: pip install 'dynamics-bench[tensorboard]'\n"
    assert capsys.readouterr() == ("", told)
    assert not (tmp_path / "runs").exists()


def test_an_unknown_tracker_is_refused(toy, capsys):
    assert toy("--track", "tensorbord") == 2
    assert "but got 'tensorbord'" in capsys.readouterr().err


def test_runs_that_write_at_the_same_time_do_not_meet(tmp_path, monkeypatch):
    run = Run.load(build(tmp_path, systems=("Lorenz",), learners=("ResNet",), size=SIZE))
    monkeypatch.setattr("os.getpid", lambda: 7)  # as in containers that share a volume
    with ThreadPoolExecutor(4) as threads:
        assert len({made.result() for made in [threads.submit(tracking.write, run) for _ in range(4)]}) == 1
    assert len(list((run.folder / "tensorboard").glob("Lorenz/ResNet/seed-*/*"))) == len(SIZE.seeds)
    assert not list(run.folder.glob(".tensorboard*"))


def small(folder: Path, status: dict[tuple[str, str], Status] | None = None) -> Run:
    return Run.load(build(folder, systems=("Lorenz",), learners=("ResNet", "Persistence"), size=SIZE, status=status))


@pytest.mark.slow  # its tables take seconds to make
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of libraries of its own
def test_runs_of_mlflow_hold_the_trials_and_replace_those_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = small(tmp_path, {("Lorenz", "ResNet"): "timeout"})
    to_mlflow.write(run)
    told = to_mlflow.write(run)
    client = MlflowClient(tracking_uri=told.removeprefix("mlflow ui --backend-store-uri "))
    experiment = client.get_experiment_by_name(run.suite)
    assert experiment is not None
    found = {one.info.run_name: one for one in client.search_runs([experiment.experiment_id])}
    expected = {trial.name: trial for trial in trials(run)}
    assert set(found) == set(expected)
    for name, trial in expected.items():
        kept = found[name]
        assert kept.info.status == ("FINISHED" if trial.record.status == "ok" else "FAILED")
        assert kept.data.params == {setting: str(value) for setting, value in trial.settings.items()}
        assert trial.measured.items() <= kept.data.metrics.items()
        assert kept.data.tags["status"] == trial.record.status
    curve = expected["Lorenz ResNet seed 1"].points
    history = client.get_metric_history(found["Lorenz ResNet seed 1"].info.run_id, "loss/training")
    assert [(one.step, one.value) for one in history] == [(update, each["loss/training"]) for update, each in curve]


@pytest.mark.slow  # its service takes seconds to start
def test_runs_of_weights_and_biases_lie_ready_to_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    run = small(tmp_path)
    to_wandb.write(run)
    told = to_wandb.write(run)
    assert told == f"wandb sync {run.folder / 'wandb'}/offline-run-*"
    files = sorted((run.folder / "wandb").glob("offline-run-*/run-*.wandb"))
    expected = list(trials(run))
    assert len(files) == len(expected)
    assert not list(run.folder.glob(".wandb*"))
    for trial in expected:
        (mine,) = [path for path in files if path.stem.endswith(f"{trial.cell[:32]}-{trial.record.seed}")]
        content = mine.read_bytes()
        assert trial.name.encode() in content
        assert content.count(b"loss/training") >= len(trial.points)
