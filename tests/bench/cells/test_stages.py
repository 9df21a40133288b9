"""Stages of training: taken where they should be, told as metrics tell them, and without any effect on the model."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.cells import stages
from bench.cells.cell import Cell
from bench.cells.data import dataset
from bench.cells.digest import code
from bench.cells.key import fit_key, planned
from bench.cells.run import fit_cell
from bench.cells.stages import Stages, learning_curves
from learners import Budget, CurvePoint, Learner, NeuralODE, Persistence, Predictor, RKNet, Training, WindowedRNN
from learners.base import SolverError
from learners.delayed import Delayed
from learners.training.callbacks import TrainingState, before_each_update
from metrics import normalised_error, nrmse, valid_prediction_time, vpt
from results import Store
from results.store.store import CURVE_COLUMNS
from systems import Dataset, LinearSpiral
from tests.support import stubs
from tests.support.cases import few
from tests.support.commands import ROOT

SHORT = Training(updates=8, batch=16, learning_rate=0.1, validations=8)
STACKED = NeuralODE(width=8, depth=1, training=SHORT)
SEQUENTIAL = RKNet(width=8, depth=1, tolerance=1e-2, training=SHORT)
LEARNERS = (STACKED, SEQUENTIAL, WindowedRNN(hidden=8, training=SHORT), Delayed(STACKED, delays=1, stride=2))
SAMPLING = replace(stubs.TINY, valid=5, climate_horizon=1.0)


def cell(learner: Learner, seeds: tuple[int, ...] = (0, 1)) -> Cell:
    return replace(stubs.cell(learner, seeds, metrics=(nrmse, vpt)), sampling=SAMPLING)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def data(folder: Path) -> Dataset:
    return dataset(LinearSpiral(), SAMPLING, 0, folder)


def told(curve: Sequence[CurvePoint]) -> dict[int, float]:
    return {point.update: point.valid_vpt for point in curve if not isnan(point.valid_vpt)}


def by_hand(predictor: Predictor, data: Dataset) -> float:
    """The median prediction time from the first context of each validation trajectory on, up to the horizon."""
    context, samples = SAMPLING.context, SAMPLING.forecast_samples
    given = data.valid.between(0, context + samples)
    states = predictor.forecast(given.between(0, context), given.times[:, context:]).states.double().numpy()
    error = normalised_error(given.states[:, context:].numpy(), states, data.std.numpy())
    return float(np.median(valid_prediction_time(error, SAMPLING.step)))


def stopped(learner: Learner, data: Dataset, updates: int) -> list[Predictor]:
    """The models of a training with the same schedule that ends after so many updates."""

    def stop(moment: TrainingState) -> None:
        if moment.updates == updates:
            raise SolverError("enough")

    with before_each_update(stop):
        return learner.fit_replicas(data, Budget(), [0, 1])


@pytest.mark.parametrize("learner", few(LEARNERS, 0), ids=repr)
def test_a_stage_is_what_training_would_have_given_had_it_stopped_there(learner: Learner, data: Dataset, folder: Path):
    trials = cell(learner).run(folder)
    assert [list(told(trial.curve)) for trial in trials] == [[1, 2, 4, 8]] * 2
    whole = learner.fit_replicas(data, Budget(), [0, 1])
    for updates in (1, 2, 4, 8):
        models = whole if updates == 8 else stopped(learner, data, updates)
        for trial, model in zip(trials, models, strict=True):
            assert told(trial.curve)[updates] == pytest.approx(by_hand(model, data), rel=1e-6)
    times = [time for trial in trials for time in told(trial.curve).values()]
    assert len(set(times)) > 2
    for trial, model in zip(trials, whole, strict=True):
        kept = model.weights() | model.constants()
        assert trial.weights.keys() == kept.keys()
        assert all(torch.equal(trial.weights[name], values) for name, values in kept.items())
        alone = [replace(point, seconds=0.0, valid_vpt=0.0) for point in model.log.curve]
        assert [replace(point, seconds=0.0, valid_vpt=0.0) for point in trial.curve] == alone


def test_a_stage_is_told_at_the_last_validation_before_it_if_there_is_one(folder: Path):
    sparse = replace(STACKED, training=replace(SHORT, updates=22, validations=2))
    (trial,) = cell(sparse, seeds=(0,)).run(folder)
    assert [point.update for point in trial.curve] == [11, 22]
    assert list(told(trial.curve)) == [11, 22]
    sparser = replace(STACKED, training=replace(SHORT, updates=22, validations=1))
    (trial,) = cell(sparser, seeds=(0,)).run(folder)
    assert list(told(trial.curve)) == [22]


@pytest.mark.slow
def test_a_first_part_of_the_forecasts_tells_what_all_of_them_would(folder: Path, monkeypatch: pytest.MonkeyPatch):
    some = [told(trial.curve) for trial in cell(STACKED).run(folder)]
    assert min(time for one in some for time in one.values()) < SAMPLING.horizon / stages.FIRST
    monkeypatch.setattr(stages, "FIRST", 1)
    assert [told(trial.curve) for trial in cell(STACKED).run(folder)] == some


@dataclass(frozen=True)
class Moody(Learner):
    """Its models cannot forecast the first time, for a reason that has this name."""

    error: str = "solver"

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        (model,) = STACKED.fit_replicas(dataset, budget, seeds)
        forecast, calls = model.forecast, []

        def moody(past, times):
            calls.append(times)
            if len(calls) == 1:
                raise stubs.ERRORS[self.error]()
            return forecast(past, times)

        model.forecast = moody  # type: ignore[method-assign]
        return [model]


@pytest.mark.parametrize("error", ["solver", "value"])
def test_a_stage_without_a_forecast_is_not_told_and_nothing_else_is_lost(
    folder: Path, capfd: pytest.CaptureFixture[str], error: str
):
    (trial,), (calm,) = (cell(learner, seeds=(0,)).run(folder) for learner in (Moody(error), STACKED))
    assert trial.record.status == "ok"
    assert told(trial.curve) == {updates: time for updates, time in told(calm.curve).items() if updates > 1}
    assert "no prediction time on validation data" in capfd.readouterr().err


def test_seeds_that_come_to_fewer_stages_leave_those_of_the_others(data: Dataset):
    kept = Stages()

    def fail_once(moment: TrainingState) -> None:
        kept(moment)
        if len(kept._stacks) == 2 and moment.updates == 2:
            raise SolverError("enough")

    with before_each_update(fail_once):
        models = SEQUENTIAL.fit_replicas(data, Budget(), [0, 1])
    found = learning_curves(SEQUENTIAL, models, data, np.inf, kept, "cpu")
    assert [list(told(found[id(model)])) for model in models] == [[1, 2, 4, 8], [1, 2]]


def test_a_fit_that_is_not_made_of_updates_is_one_stage(folder: Path, data: Dataset):
    whole, refusing, reference = (
        cell(learner).run(folder)
        for learner in (stubs.Spoiled("keep"), stubs.Spoiled("refuse", every=False), Persistence())
    )
    assert [told(trial.curve) for trial in whole] == [{0: pytest.approx(1.0)}] * 2
    assert all(isnan(trial.curve[0].valid_loss) for trial in whole)
    assert [trial.record.status for trial in refusing] == ["crashed", "ok"]
    assert [len(trial.curve) for trial in refusing] == [0, 1]
    assert [trial.curve for trial in reference] == [()] * 2


def test_a_model_that_failed_to_train_has_no_stage(folder: Path):
    assert [trial.curve for trial in cell(stubs.Untrained()).run(folder)] == [()] * 2


def test_no_time_is_told_beyond_that_for_which_the_truth_is_known(data: Dataset):
    model = stubs.Turning(0)
    for ground_truth_time, expected in ((0.2, 0.2), (np.inf, 1.0)):
        (point,) = learning_curves(stubs.Spoiled("keep"), [model, model], data, ground_truth_time, Stages(), "cpu")[
            id(model)
        ]
        assert point.valid_vpt == pytest.approx(expected)


def test_trajectories_no_longer_than_a_context_have_no_stages(data: Dataset):
    model, short = stubs.Turning(0), replace(data, valid=data.valid.between(0, SAMPLING.context))
    assert learning_curves(stubs.Spoiled("keep"), [model], short, np.inf, Stages(), "cpu") == {id(model): ()}


SCRIPT = """
import json, sys
from pathlib import Path
from tests.bench.cells.test_stages import LEARNERS, cell, told
found = [told(trial.curve) for learner in LEARNERS[:2] for trial in cell(learner).run(Path(sys.argv[1]))]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_another_process_tells_the_same(folder: Path):
    here = [told(trial.curve) for learner in LEARNERS[:2] for trial in cell(learner).run(folder)]
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(here))


def test_stages_are_kept_with_the_curve_and_older_curves_are_read_without(folder: Path, tmp_path: Path):
    store = Store(tmp_path)
    with store.stage("new") as place:
        trials = fit_cell(planned([cell(STACKED)], tmp_path)[0], folder, place)
    kept = store.curve("new").dropna(subset="valid_vpt")
    assert list(kept["update"]) == [1, 2, 4, 8] * 2
    assert kept["valid_vpt"].tolist() == [time for trial in trials for time in told(trial.curve).values()]
    with store.stage("old") as place:
        columns = list(CURVE_COLUMNS)[:-2]
        (place / "curve.csv").write_text(f"{','.join(map(str, columns))}\n0,5,0.5,inf,1.0,4.0,8.0\n")
    (row,) = store.curve("old").to_dict("records")
    assert row == {
        "seed": 0, "update": 5, "train_loss": 0.5, "valid_loss": np.inf, "seconds": 1.0,
        "nfe_forward": 4.0, "nfe_backward": 8.0, "valid_vpt": pytest.approx(nan, nan_ok=True),
        "valid_error": pytest.approx(nan, nan_ok=True),
    }  # fmt: skip


def test_a_fit_is_stale_where_prediction_times_are_told_otherwise_but_not_for_other_metrics():
    used: set[str] = set()

    def read(roots, without=()):
        found = code(roots, without)
        used.update(found)
        return found

    fit_key(cell(STACKED), read)
    assert {"bench.cells.stages", "metrics.prediction_time"} <= used
    assert "metrics.trajectory" not in used
