"""One cell: its data, its trials, and the files that it leaves behind."""

import csv
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import wraps
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import bench.cells.data
from bench.cells.cell import Cell
from bench.cells.data import dataset, location
from bench.cells.drawings import forecast_arrays
from bench.cells.forecasting import ForecastCell
from bench.cells.key import Planned, digest, identity, key
from bench.cells.run import fit_cell
from learners import Budget, Forecast, Learner, Predictor, TrueEquations
from metrics import (
    LYAPUNOV,
    STANDARD,
    Cost,
    Evidence,
    cme,
    ctf_long,
    d_h,
    d_stsp,
    lyapunov_exponent,
    nrmse,
    unbounded_fraction,
    vpt,
)
from results import Measurement, Record
from results.store.packing import read_arrays
from systems import LinearSpiral, Lorenz, Sampling, System, Trajectories, over, sample
from systems.configuration import label
from systems.protocol import PARTS
from systems.sampling import Dataset
from tests.support import stubs
from tests.support.stubs import TINY

BRIEF = replace(TINY, climate_horizon=1)


def values(record: Record) -> dict[str, float | None]:
    return {measurement.metric: measurement.value for measurement in record.measurements}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of datasets that the tests share."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Callable[..., list[Record]]:
    """Execute a cell of a stub learner, in a folder of its own."""
    return lambda learner, **changes: stubs.records_of(replace(stubs.cell(learner), **changes), data, tmp_path)


def assert_same(one: Dataset, other: Dataset) -> None:
    for part in PARTS:
        for kind in ("times", "states"):
            mine, theirs = (getattr(getattr(each, part), kind) for each in (one, other))
            assert mine.dtype == theirs.dtype == torch.float64
            assert mine.numpy().tobytes() == theirs.numpy().tobytes()


def test_reading_a_dataset_equals_sampling_it_bit_for_bit(tmp_path: Path):
    arguments = LinearSpiral(), replace(BRIEF, noise=0.1), 7
    made, read, sampled = dataset(*arguments, tmp_path), dataset(*arguments, tmp_path), sample(*arguments)
    assert_same(made, sampled)
    assert_same(read, sampled)
    assert (read.system, read.sampling, read.seed) == arguments


def test_a_dataset_that_is_there_is_not_sampled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = dataset(LinearSpiral(), BRIEF, 0, tmp_path)

    @wraps(sample)
    def refused(*arguments: Any) -> Dataset:
        raise AssertionError("sampled again")

    monkeypatch.setattr(bench.cells.data, "sample", refused)
    assert_same(dataset(LinearSpiral(), BRIEF, 0, tmp_path), made)


def test_datasets_are_told_apart_by_system_sampling_and_seed(tmp_path: Path):
    asked: list[tuple[System, Sampling, int]] = [
        (LinearSpiral(), TINY, 0),
        (LinearSpiral(damping=0.2), TINY, 0),
        (LinearSpiral(), replace(TINY, noise=0.1), 0),
        (LinearSpiral(), TINY, 1),
    ]
    assert len({location(*arguments, tmp_path) for arguments in asked}) == 4


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "no archive", "other arrays"])
def test_a_damaged_dataset_is_made_again(tmp_path: Path, damage: str):
    arguments = LinearSpiral(), BRIEF, 0
    dataset(*arguments, tmp_path)
    path = location(*arguments, tmp_path)
    whole = bytearray(path.read_bytes())
    if damage == "other arrays":
        np.savez(path, train_times=np.zeros(3))
    else:
        flipped = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
        path.write_bytes({"truncated": whole[:-100], "flipped": flipped, "empty": b"", "no archive": b"text"}[damage])
    assert_same(dataset(*arguments, tmp_path), sample(*arguments))
    assert_same(dataset(*arguments, tmp_path), sample(*arguments))


def test_of_several_that_need_a_dataset_at_once_one_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made, together = [], Barrier(3)

    @wraps(sample)
    def counted(*arguments: Any) -> Dataset:
        made.append(arguments)
        return sample(*arguments)

    def ask(_: int) -> Dataset:
        together.wait()
        return dataset(LinearSpiral(), BRIEF, 0, tmp_path)

    monkeypatch.setattr(bench.cells.data, "sample", counted)
    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(ask, range(3))
    assert len(made) == 1
    for other in others:
        assert_same(first, other)


def test_sampling_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*arguments: Any, **arrays: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        dataset(LinearSpiral(), BRIEF, 0, tmp_path)
    assert not list(tmp_path.glob("*.npz"))


def test_labels_are_those_of_the_configuration():
    cell = stubs.cell(stubs.Instant(width=9))
    assert (cell.system_label, cell.learner_label) == ("LinearSpiral", "Instant[width=9]")


def test_a_good_cell_has_a_good_record_for_each_seed(run: Callable[..., list[Record]]):
    records = run(stubs.Instant(), seeds=(3, 0), metrics=STANDARD)
    assert [(record.seed, record.status) for record in records] == [(3, "ok"), (0, "ok")]
    assert all(record.reason.startswith("no zero_one_k: the 0-1 test needs 1000 samples") for record in records)
    assert {(record.system, record.learner) for record in records} == {("LinearSpiral", "Instant")}
    assert list(values(records[0])) == [metric.name for metric in STANDARD]
    off, exact = map(values, records)
    assert exact["nrmse"] is not None
    assert off["nrmse"] is not None
    assert exact["nrmse"] < 1e-9 < off["nrmse"] < 0.2
    assert exact["vpt"] == pytest.approx(1.0)


def test_a_budget_may_shorten_the_long_forecasts(tmp_path: Path):
    cell = replace(stubs.cell(stubs.Instant()), budget=Budget(climate=0.5))
    stubs.records_of(cell, tmp_path / "data", tmp_path)
    arrays = read_arrays(tmp_path / "arrays.npz")
    assert arrays["climate"].shape[1] == len(arrays["climate_truth"]) == 600


def test_costs_come_from_the_log_and_the_forecast(run: Callable[..., list[Record]]):
    measured = values(run(stubs.Instant(), metrics=STANDARD)[0])
    assert measured["nfe_forward"] == 1
    assert measured["saved_bytes"] == 64
    assert measured["fit_seconds"] == 0.25
    assert measured["parameters"] == 1
    assert measured["nfe_forecast"] == 20  # samples of one period, one evaluation each
    assert measured["forecast_seconds"]
    assert measured["peak_bytes"] is not None


def test_the_files_of_a_cell_say_what_it_was(run: Callable[..., list[Record]], data: Path, tmp_path: Path):
    records = run(stubs.Instant())
    cell = stubs.cell(stubs.Instant())
    about = json.loads((tmp_path / "cell.json").read_text())
    assert about.pop("seconds") > 0
    assert (data / about.pop("data")).exists()
    assert about == {
        "key": key(cell),
        "system": "LinearSpiral",
        "learner": "Instant",
        "channels": ["x1", "x2"],
        "reference": False,
        "seeds": [0, 1],
        "data_seed": 0,
        "timescale": 2 * np.pi,
        "timescale_name": "period",
        "step": 0.1 * np.pi,
        "dim": 2,
        "ring": False,
        "updates_effort": 1.0,
        "device": "cpu",
        "configuration": json.loads(json.dumps(identity(cell))),
        "digest": digest(cell),
    }
    assert [Record.parse(record) for record in json.loads((tmp_path / "records.json").read_text())] == records
    assert json.loads((tmp_path / "environment.json").read_text())["threads"] == torch.get_num_threads()


def test_the_curve_has_a_row_for_each_seed_and_point(run: Callable[..., list[Record]], tmp_path: Path):
    run(stubs.Instant())
    with (tmp_path / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "seed", "update", "train_loss", "valid_loss", "seconds", "nfe_forward", "nfe_backward", "valid_vpt",
        "valid_error",
    ]  # fmt: skip
    assert [(row["seed"], row["update"], row["valid_loss"]) for row in rows] == [
        *(("0", "1", "inf"), ("0", "2", "0.5")),
        *(("1", "1", "inf"), ("1", "2", "0.5")),
    ]


def test_the_weights_of_every_seed_are_kept(run: Callable[..., list[Record]], tmp_path: Path):
    run(stubs.Instant(), seeds=(4, 2))
    weights = load_file(tmp_path / "checkpoint.safetensors")
    assert {name: tensor.item() for name, tensor in weights.items()} == pytest.approx({"4.turn": 1.04, "2.turn": 1.02})


def test_arrays_have_the_shapes_that_figures_expect(run: Callable[..., list[Record]], tmp_path: Path, data: Path):
    run(stubs.Instant())
    arrays = read_arrays(tmp_path / "arrays.npz")
    n = arrays["pq_truth"].shape[1]
    assert {name: values.shape for name, values in arrays.items()} == {
        "times": (20,),
        "error_quartiles": (2, 3, 20),
        "vpt": (2, 4),
        "vpt_strict": (2, 4),
        "vpt_longest": (4,),
        "truth": (3, 20, 2),
        "forecast": (1, 3, 20, 2),  # of the first seed, as "climate"
        "climate_times": (1200,),
        "climate_truth": (1200, 2),
        "climate": (1, 1200, 2),
        "pq_truth": (2, n),
        "pq": (2, 2, n),
        "pq_sampling": (3,),
        "pq_doubts": (2,),
        "fit_times": (50,),
        "fit_data": (50, 2),
        "fit_truth": (50, 2),
        "fit": (1, 50, 2),
    }
    assert {arrays[name].dtype for name in arrays if name != "times"} == {np.dtype(np.float32)}
    assert arrays["times"].dtype == np.float64
    np.testing.assert_allclose(arrays["times"], np.arange(1, 21) * 0.05)
    truth = dataset(LinearSpiral(), TINY, 0, data).test.states[:3, 4:].numpy()
    np.testing.assert_allclose(arrays["truth"], truth, rtol=1e-6)
    np.testing.assert_allclose(arrays["forecast"][0], truth, rtol=1e-5, atol=1e-6)
    assert (np.diff(arrays["error_quartiles"], axis=1) >= 0).all()


@pytest.mark.slow
def test_a_family_tested_on_one_value_is_measured_by_its_states_alone(data: Path):
    family = over(Lorenz(), rho=[26, 30], unseen=[28])
    sampling = replace(TINY, trajectories=4, climate_horizon=20)
    metrics = (nrmse, vpt, cme, d_stsp, d_h, ctf_long)
    cell = ForecastCell(family, TrueEquations(), sampling, metrics, Budget(), (0,), 0)
    (trial,) = cell.run(data)
    assert trial.evidence.truth.shape[-1] == len(trial.evidence.scale) == 3
    assert (trial.record.status, trial.record.reason) == ("ok", "")
    error = values(trial.record)["nrmse"]
    assert error is not None
    assert error < 1e-3
    assert trial.arrays["climate_truth"].shape == (400, 3)


def test_a_channel_that_is_constant_in_training_leaves_errors_undefined_and_no_trial_crashed():
    truth = np.random.default_rng(0).normal(size=(2, 300, 2))
    given = Evidence(0.1, np.array([0.0, 1.0]), truth, truth + 0.1, truth, truth, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    arrays = forecast_arrays(given)
    assert all(np.isnan(arrays[name]).all() for name in ("error_quartiles", "vpt", "vpt_strict", "pq"))
    np.testing.assert_allclose(arrays["truth"], truth, rtol=1e-6)


@pytest.mark.parametrize("offset", [1e6, -1e9])
def test_arrays_keep_a_signal_that_is_small_beside_its_offset(offset: float):
    truth = np.random.default_rng(0).normal(size=(2, 300, 2)) * [1.0, 1e-3] + [0.0, offset]
    given = Evidence(0.1, np.array([1.0, 1e-3]), truth, truth, truth, truth, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    arrays = forecast_arrays(given)
    for name, expected in (("truth", truth), ("forecast", truth), ("climate_truth", truth[0]), ("climate", truth[0])):
        signal, kept = (states[..., 1] - offset for states in (expected, arrays[name]))
        np.testing.assert_allclose(kept, signal, atol=1e-6)


def test_a_predictor_that_stands_for_several_seeds_is_measured_once(run: Callable[..., list[Record]]):
    lengths: list[int] = []

    class Counting(stubs.Turning):
        def forecast(self, past: Trajectories, times: Tensor) -> Forecast:
            lengths.append(times.shape[-1])
            return super().forecast(past, times)

    class Shared(stubs.Instant):
        def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
            return [Counting(0)] * len(seeds)

    one, other = run(Shared(), seeds=(0, 1))
    # Of the validation data first a part, then all; the test; the long ones; along the training data.
    assert lengths == [5, 20, 20, 1200, 46]
    assert (one.seed, other.seed) == (0, 1)
    assert one.measurements == other.measurements


def test_context_samples_are_given_and_never_scored(run: Callable[..., list[Record]], data: Path):
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    class Watching(stubs.Turning):
        def forecast(self, past: Trajectories, times: Tensor) -> Forecast:
            seen.append((past.times[0].numpy(), times[-1].numpy()))
            return super().forecast(past, times)

    class Watched(stubs.Instant):
        def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
            return list[Predictor](Watching(seed) for seed in seeds)

    run(Watched(), seeds=(0,))
    step = 0.1 * np.pi
    (test_past, test_times), (climate_past, climate_times) = seen[-3:-1]  # between validation and training data
    np.testing.assert_allclose(test_past, np.arange(4) * step)
    np.testing.assert_allclose(climate_past, test_past)
    np.testing.assert_allclose(test_times, np.arange(4, 24) * step)
    assert len(climate_times) == 1200


def test_two_executions_differ_in_times_only(data: Path, tmp_path: Path):
    def measured(name: str) -> list[tuple[Measurement, ...]]:
        folder = tmp_path / name
        folder.mkdir()
        records = stubs.records_of(stubs.cell(stubs.Instant()), data, folder)
        return [tuple(m for m in record.measurements if m.metric not in stubs.TIMES) for record in records]

    assert measured("a") == measured("b")
    assert (tmp_path / "a/arrays.npz").read_bytes() == (tmp_path / "b/arrays.npz").read_bytes()


def test_a_diverged_forecast_says_when_and_keeps_what_can_be_measured(run: Callable[..., list[Record]], tmp_path: Path):
    record = run(stubs.Spoiled("diverge"))[0]
    assert record.status == "diverged"
    assert record.reason == (
        "4 of 4 forecasts left the finite numbers after 0.3 periods (median); "
        "1 of 1 long forecasts left the finite numbers after 0.3 periods (median); "
        "not finite: nrmse, correlation_dimension"
    )
    assert values(record)["nrmse"] is None
    assert values(record)["vpt"] == pytest.approx(0.25)
    arrays = read_arrays(tmp_path / "arrays.npz")
    assert np.isfinite(arrays["error_quartiles"][..., :5]).all()
    assert np.isposinf(arrays["error_quartiles"][..., 5:]).all()
    assert "NaN" not in (tmp_path / "records.json").read_text()


def test_a_forecast_that_runs_away_has_diverged_though_it_is_finite(run: Callable[..., list[Record]]):
    record = run(stubs.Spoiled("run_away"))[0]
    assert record.status == "diverged"
    assert record.reason.startswith(
        "4 of 4 forecasts came to be 100 standard deviations off after 0.3 periods (median); "
        "1 of 1 long forecasts came to be 100 standard deviations off after 0.3 periods (median)"
    )
    assert values(record)["vpt"] == pytest.approx(0.25)
    assert (values(record)["nrmse"] or 0) > 100


def test_half_of_the_forecasts_may_diverge_but_not_unnoticed(run: Callable[..., list[Record]]):
    record = run(stubs.Spoiled("diverge_in_half"))[0]
    assert record.status == "ok"
    assert record.reason.startswith("2 of 4 forecasts left the finite numbers after 0.3 periods (median)")


def test_a_metric_of_long_runs_that_is_infinite_has_failed_though_they_stay_finite(run: Callable[..., list[Record]]):
    record = run(stubs.Instant(), metrics=(stubs.endless, *stubs.METRICS))[0]
    assert record.status == "ok"
    assert [one.status for one in record.measurements if one.metric == "endless"] == ["diverged"]


def test_a_long_forecast_that_diverges_fails_the_metrics_of_long_runs_alone(run: Callable[..., list[Record]]):
    record = run(stubs.Spoiled("diverge_late"), metrics=(*stubs.METRICS, unbounded_fraction))[0]
    assert record.status == "ok"
    assert record.reason == (
        "1 of 1 long forecasts left the finite numbers after 5.05 periods (median); not finite: correlation_dimension"
    )
    statuses = {one.metric: one.status for one in record.measurements}
    assert {name for name, status in statuses.items() if status != "ok"} == {"correlation_dimension"}
    assert statuses["correlation_dimension"] == "diverged"
    assert values(record)["vpt"] == pytest.approx(1.0)
    assert values(record)["unbounded_fraction"] == 1.0
    told = {row[4]: row[8] for row in record.rows("suite", "cell")}
    assert told == statuses


def test_an_infinite_error_is_the_failure_of_that_metric_where_few_forecasts_diverge(run: Callable[..., list[Record]]):
    record = run(stubs.Spoiled("diverge_in_half"))[0]
    assert {one.metric: one.status for one in record.measurements}["nrmse"] == "diverged"
    assert values(record)["nrmse"] is None


@pytest.mark.parametrize("spoil", ["underflow", "give_up"])
def test_a_solver_that_gives_up_on_a_forecast_is_an_outcome_not_a_crash(run: Callable[..., list[Record]], spoil: str):
    record = run(stubs.Spoiled(spoil))[0]
    assert record.status == "solver_failed"
    assert record.reason.startswith("the solver gave up on the forecasts: ")
    assert values(record)["vpt"] == 0
    assert values(record)["nfe_forecast"] is None
    assert values(record)["parameters"] == 1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("refuse", "RuntimeError: no forecast today"),
        ("object_to", "AssertionError: not like this"),
        (
            "misshape",
            "ValueError: Spoiled[by=misshape,every=False] must forecast states of shape (4, 20, 2), "
            "but returns (4, 19, 2)",
        ),
    ],
)
def test_one_seeds_failure_does_not_hide_the_others(
    run: Callable[..., list[Record]], spoil: str, reason: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
):
    bad, good = run(stubs.Spoiled(spoil, every=False))
    assert (bad.status, bad.reason) == ("crashed", reason)
    assert set(values(bad).values()) == {None}
    assert (good.status, good.reason) == ("ok", "")
    assert "Traceback" in capfd.readouterr().err
    arrays = read_arrays(tmp_path / "arrays.npz")
    assert np.isnan(arrays["vpt"][0]).all()
    assert np.isfinite(arrays["vpt"][1]).all()
    assert np.isfinite(arrays["forecast"]).all()  # drawn of the first seed that has one


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ("value", "crashed", "ValueError: width must be even, but is 7"),
        ("memory", "out_of_memory", "MemoryError: no room"),
        ("allocator", "out_of_memory", "RuntimeError: DefaultCPUAllocator: can't allocate memory"),
        ("cuda", "out_of_memory", "OutOfMemoryError: CUDA out of memory"),
        ("solver", "solver_failed", "SolverError: the step became too small"),
    ],
)
def test_an_error_in_fitting_is_the_outcome_of_every_seed(
    run: Callable[..., list[Record]],
    error: str,
    status: str,
    reason: str,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
):
    records = run(stubs.Raising(error))
    assert [(record.seed, record.status, record.reason) for record in records] == [
        (0, status, reason),
        (1, status, reason),
    ]
    assert [list(values(record)) for record in records] == [[metric.name for metric in stubs.METRICS]] * 2
    assert all(value is None for record in records for value in values(record).values())
    assert "Traceback" in capfd.readouterr().err
    assert read_arrays(tmp_path / "arrays.npz") == {}
    assert load_file(tmp_path / "checkpoint.safetensors") == {}
    assert (tmp_path / "curve.csv").read_text().count("\n") == 1


def test_a_learner_that_does_not_apply_is_skipped_and_says_why(
    run: Callable[..., list[Record]], capfd: pytest.CaptureFixture[str]
):
    records = run(stubs.Raising("unsuitable"))
    assert [(record.status, record.reason) for record in records] == [("skipped", "the times are irregular")] * 2
    assert all(value is None for record in records for value in values(record).values())
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("learner", "given"),
    [
        (stubs.TooFew(), "Turning"),
        (stubs.NoPredictors(), "NoneType, NoneType"),
        (stubs.Listless(alone=False), "NoneType"),
        (stubs.Listless(alone=True), "Turning"),
    ],
    ids=repr,
)
def test_a_learner_that_returns_no_predictor_for_a_seed_is_named(
    run: Callable[..., list[Record]], learner: Learner, given: str
):
    record = run(learner)[0]
    assert record.status == "crashed"
    name = label(learner)
    assert f"{name}.fit_replicas must return 2 predictors, one a seed, but returns {given}" in record.reason


@pytest.mark.parametrize("status", ["diverged", "solver_failed"])
def test_a_training_that_failed_is_measured_and_says_why(run: Callable[..., list[Record]], status: Any):
    record = run(stubs.Untrained(status))[0]
    assert (record.status, record.reason) == (status, "the loss rose without bound")
    assert values(record)["vpt"] == pytest.approx(1.0)


def test_a_metric_that_raises_is_named_and_leaves_the_others(run: Callable[..., list[Record]]):
    record = run(stubs.Instant(), metrics=(stubs.exploding, *stubs.METRICS))[0]
    assert (record.status, record.reason) == ("ok", "no exploding: ZeroDivisionError: nothing to divide by")
    assert values(record)["exploding"] is None
    assert values(record)["vpt"] == pytest.approx(1.0)


def test_a_metric_without_anything_to_measure_says_why_and_is_no_failure(run: Callable[..., list[Record]]):
    record = run(stubs.Instant(), metrics=(stubs.untold, lyapunov_exponent, *stubs.METRICS))[0]
    assert (record.status, record.reason, values(record)["untold"]) == (
        "ok",
        "no untold: there is nothing to tell",
        None,
    )
    assert values(record)["lyapunov_exponent"] == pytest.approx(-0.1 * 2 * np.pi, rel=1e-3)


def test_metrics_that_lack_the_same_share_a_reason(run: Callable[..., list[Record]]):
    record = run(stubs.Spoiled("diverge_late"), metrics=(*LYAPUNOV, *stubs.METRICS))[0]
    assert {one.status for one in record.measurements if one.metric.startswith("lyapunov")} == {"diverged"}
    assert "no lyapunov_exponent, kaplan_yorke_dimension: every long forecast leaves the finite" in record.reason


def test_intervals_of_exponents_are_kept_where_they_are_measured(run: Callable[..., list[Record]], tmp_path: Path):
    run(stubs.Instant(), metrics=LYAPUNOV)
    mean, low, high = read_arrays(tmp_path / "arrays.npz")["exponents"][0]
    np.testing.assert_allclose(mean, -0.2 * np.pi, rtol=1e-3)
    assert (low <= mean).all()
    assert (mean <= high).all()


def test_no_exponents_are_kept_where_there_are_none(run: Callable[..., list[Record]], tmp_path: Path):
    run(stubs.Spoiled("diverge_late"), metrics=LYAPUNOV)
    assert "exponents" not in read_arrays(tmp_path / "arrays.npz")


def test_a_system_that_cannot_be_solved_is_a_failed_cell_not_an_error(data: Path, tmp_path: Path):
    cell: Cell = replace(stubs.cell(stubs.Instant()), system=stubs.Unsolvable())
    records = stubs.records_of(cell, data, tmp_path)
    assert [(record.status, record.reason) for record in records] == [
        ("crashed", "FloatingPointError: no timescale")
    ] * 2
    assert json.loads((tmp_path / "cell.json").read_text())["timescale"] is None


def test_the_key_and_the_code_of_a_planned_cell_are_taken_over(data: Path, tmp_path: Path):
    fit_cell(Planned(stubs.cell(stubs.Instant()), "known", data / "none.npz", {"systems.base": "abc"}), data, tmp_path)
    about = json.loads((tmp_path / "cell.json").read_text())
    assert (about["key"], about["digest"]) == ("known", {"systems.base": "abc"})


def test_records_survive_json(run: Callable[..., list[Record]]):
    record = run(stubs.Instant())[0]
    assert Record.parse(json.loads(json.dumps(asdict(record)))) == record
