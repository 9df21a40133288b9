"""Classifiers from end to end: training, its failures, the metrics, cells, and the report of a run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from bench.cells.classifying import ImageCell
from bench.cells.key import planned
from bench.cells.run import fit_cell
from bench.planning.manifest import manifest
from bench.suite import Suite
from learners import (
    Budget,
    Classifier,
    FittedClassifier,
    MLPClassifier,
    ODENetClassifier,
    ResNetClassifier,
    RKNetClassifier,
    Training,
    TrainingLog,
)
from learners.base import Failure, SolverError
from learners.images.classifiers import DenseODEClassifier
from learners.images.networks import normalisation
from learners.images.sweep import sweep as sweep_tolerances
from learners.solvers.shared_steps import Follow, adaptive
from learners.training.training_step import collect_steps
from metrics import CLASSIFICATION, DEPTH, ClassificationEvidence, DepthSweep, Undefined
from metrics.classification import error_rate, expected_calibration_error, growth, log_loss, power
from results import Record, Store
from results.report.page import write_report
from results.store.packing import read_arrays
from results.store.run import Run
from systems import ImageDataset, sample_images
from tests.support import stubs
from tests.support.images import SAMPLING, SHORT, Stripes, small

METRICS = (*CLASSIFICATION, *DEPTH)


@pytest.fixture(scope="module")
def data() -> ImageDataset:
    return sample_images(Stripes(), SAMPLING, 0)


LEARNERS = [small(kind) for kind in (MLPClassifier, ResNetClassifier, RKNetClassifier, ODENetClassifier)]


def said(learner: object) -> str:
    return type(learner).__name__


@pytest.mark.parametrize("learner", LEARNERS, ids=said)
def test_fitting_is_deterministic_and_leaves_the_generator_and_the_data_alone(data, learner):
    before, state = data.train.pixels.clone(), torch.get_rng_state()
    (one,), (again,) = (learner.fit_replicas(data, Budget(), [1]) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(data.train.pixels, before)
    for name, weight in one.weights().items():
        assert torch.equal(weight, again.weights()[name])
    found = one.probabilities(data.test.pixels)
    assert (found.shape, found.dtype) == ((20, 10), torch.float64)
    assert torch.allclose(found.sum(1), torch.ones(20, dtype=torch.float64))
    assert one.log.updates == 6
    assert [point.update for point in one.log.curve] == [2, 4, 6]


def test_seeds_differ_and_each_is_what_it_is_alone(data):
    learner = small(ResNetClassifier)
    first, second = learner.fit_replicas(data, Budget(0.3), [0, 1])
    alone = learner.fit_replicas(data, Budget(0.3), [1])[0]
    assert not torch.equal(first.probabilities(data.test.pixels), second.probabilities(data.test.pixels))
    assert torch.equal(second.probabilities(data.test.pixels), alone.probabilities(data.test.pixels))


def test_a_network_learns_what_can_be_learned(data):
    learner = MLPClassifier(training=Training(updates=150, batch=32, learning_rate=1e-2, validations=5))
    (model,) = learner.fit_replicas(data, Budget(), [0])
    wrong = model.probabilities(data.test.pixels).argmax(1) != data.test.labels
    assert float(wrong.double().mean()) <= 0.1
    assert model.log.curve[-1].train_loss < 0.1 * model.log.curve[0].train_loss


def test_evaluations_are_counted_in_both_passes(data):
    found = {type(learner): learner.fit_replicas(data, Budget(), [0])[0].log for learner in LEARNERS}
    assert found[MLPClassifier].nfe_forward == 0
    assert (found[ResNetClassifier].nfe_forward, found[ResNetClassifier].nfe_backward) == (6, 6)
    assert found[RKNetClassifier].nfe_backward == found[RKNetClassifier].nfe_forward >= 8
    assert found[ODENetClassifier].nfe_backward >= 8
    assert found[ODENetClassifier].saved_bytes < 0.5 * found[RKNetClassifier].saved_bytes


@pytest.mark.slow
def test_saved_bytes_are_the_same_in_every_fit(data: ImageDataset):
    learner = replace(small(RKNetClassifier), tolerance=1e-4)  # at which steps are rejected
    assert len({learner.fit_replicas(data, Budget(), [0])[0].log.saved_bytes for _ in range(4)}) == 1


def test_random_crops_reduced_precision_and_patience_are_options(data):
    cropped = sample_images(Stripes(), replace(SAMPLING, crop=1), 0)
    learner = replace(small(ResNetClassifier), mixed_precision=True, channels_last=False, norm="batch")
    (model,) = learner.fit_replicas(cropped, Budget(), [0])
    assert model.probabilities(data.test.pixels).isfinite().all()
    hasty = replace(small(MLPClassifier), training=replace(SHORT, updates=400, validations=200, patience=2))
    assert hasty.fit_replicas(data, Budget(), [0])[0].log.updates < 400


def test_an_update_draws_nothing_so_that_a_graph_can_repeat_it():
    cropped = sample_images(Stripes(), replace(SAMPLING, crop=1), 0)
    with collect_steps() as steps:
        small(ResNetClassifier).fit_replicas(cropped, Budget(), [0])
    (step,) = steps
    first, second = step.minibatches(2)
    assert torch.equal(step.objective(first), step.objective(first))
    assert not torch.equal(step.objective(first), step.objective(second))
    assert len(first[0, :, 1:].unique(dim=0)) > 1  # images are moved apart


@pytest.mark.parametrize("kind", [RKNetClassifier, ODENetClassifier])
def test_a_solver_that_gives_up_ends_training_with_its_history_kept(data, kind, monkeypatch):
    solves = []

    def tire(solver: str, tolerance: float, most: int) -> Follow:
        solves.append(1)
        return adaptive(solver, tolerance, most if len(solves) < 12 else 1)

    monkeypatch.setattr("learners.images.networks.adaptive", tire)
    learner = kind(width=8, tolerance=1e-5, training=replace(SHORT, updates=30, validations=2))
    (model,) = learner.fit_replicas(data, Budget(), [0])
    assert model.log.failure is not None
    assert model.log.failure.status == "solver_failed"
    assert "1 steps do not reach the next" in model.log.failure.reason
    assert f"in update {model.log.updates + 1} of 30" in model.log.failure.reason
    assert model.log.updates > 0
    assert model.log.curve[-1].update == model.log.updates
    assert model.log.curve[-1].nfe_forward > 10


def test_a_loss_that_is_never_finite_is_a_divergence(data):
    learner = MLPClassifier(training=replace(SHORT, learning_rate=1e30, clip=1e30))
    (model,) = learner.fit_replicas(data, Budget(), [0])
    assert model.log.failure == Failure(
        "diverged", f"the validation loss was never finite in {model.log.updates} updates"
    )


@pytest.mark.slow
def test_the_sweep_goes_from_coarse_to_fine_and_is_only_for_adaptive_solvers(data):
    (model,) = small(ODENetClassifier).fit_replicas(data, Budget(0.2), [0])
    points = model.sweep(data.test.at(np.arange(4)))
    assert len(points) >= 5
    assert points[-1].error < points[0].error
    assert points[-1].nfe_forward > points[0].nfe_forward
    assert len({point.saved_bytes for point in points}) == 1
    assert all(point.forward_seconds > 0 for point in points)
    for learner in (small(ResNetClassifier), small(RKNetClassifier, solver="euler", steps=2)):
        assert learner.fit_replicas(data, Budget(0.2), [0])[0].sweep(data.test) == []


def evidence(**changes: Any) -> ClassificationEvidence:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    cost: Any = SimpleNamespace(test_seconds=0.5, nfe_forward=3.0)
    return ClassificationEvidence(
        **{"probabilities": probabilities, "labels": np.array([0, 1, 1, 1]), "cost": cost} | changes
    )


def measured(name: str, of: ClassificationEvidence) -> float:
    return next(metric for metric in METRICS if metric.name == name).measure(of)


def test_measures_of_classification_have_their_closed_forms():
    of = evidence()
    assert error_rate(of.probabilities, of.labels) == 0.5
    assert log_loss(of.probabilities, of.labels) == pytest.approx(-np.log([0.9, 0.1, 0.8, 0.4]).mean())
    assert expected_calibration_error(of.probabilities, of.labels) == pytest.approx((2 * 0.4 + 0.2 + 0.6) / 4)
    assert measured("test_error", of) == 50
    assert measured("images_per_second", of) == 8
    assert measured("nfe_forward", of) == 3
    assert measured("calibration_error", of) == pytest.approx(40)
    assert measured("cross_entropy", of) == pytest.approx(log_loss(of.probabilities, of.labels))


def test_a_certain_mistake_costs_a_finite_cross_entropy():
    assert 700 < log_loss(np.array([[1.0, 0.0]]), np.array([1])) < 710


def test_measures_of_depth_are_the_exponents_of_power_laws():
    nfe = np.array([10.0, 20.0, 40.0])
    sweep = DepthSweep(np.array([0.1, 0.01, 0.001]), nfe**-3.0, nfe, 0.5 * nfe, 2 * nfe, 100 + 0 * nfe)
    of = evidence(sweep=sweep, nfe_history=np.array([10.0, 11, 12, 13, 20]))
    assert measured("error_power", of) == pytest.approx(-3)
    assert measured("time_power", of) == pytest.approx(1)
    assert measured("memory_power", of) == pytest.approx(0, abs=1e-12)
    assert measured("backward_ratio", of) == 0.5
    assert measured("nfe_growth", of) == 2


@pytest.mark.parametrize(("exponent", "at_least"), [(1.0, 0.0), (1.0, 1e5), (0.5, 3.0), (2.0, 1e3)])
def test_the_exponent_of_growth_does_not_depend_on_what_there_is_without_any(exponent: float, at_least: float):
    """As of what a solve saves: 0.77 MB before the first step and 0.13 MB for each evaluation had a power of 0.81."""
    added = np.array([0.0, 6.0, 6.0, 18.0, 42.0])
    assert growth(14 + added, at_least + 9.0 * added**exponent) == pytest.approx(exponent)
    assert growth(14 + added, at_least + 1 + 0 * added) == 0
    assert growth((14 + added)[::-1], (at_least + 9.0 * added**exponent)[::-1]) == pytest.approx(exponent)


def test_evaluations_of_rejected_steps_which_keep_no_bytes_do_not_decide_the_growth():
    nfe = np.array([26.0, 26, 32, 32, 68, 56, 74, 68, 80])
    kept = np.array([19552.0, 19552, 19552, 22708, 29020, 29020, 35332, 38488, 44800])
    assert growth(nfe, kept) == pytest.approx(0.9, abs=0.2)
    with pytest.raises(Undefined, match="fewer than two tolerances keep more bytes"):
        growth(np.array([14.0, 20, 26, 38]), np.array([100.0, 100, 90, 400]))


@pytest.mark.parametrize("width", [8, 12, 28, 50, 64, 100])
def test_groups_of_channels_divide_any_width(width: int):
    norm = normalisation("group", width)
    assert isinstance(norm, nn.GroupNorm)
    assert width % norm.num_groups == 0
    assert norm.num_groups == (width // 8 if width % 8 == 0 else {12: 1, 28: 2, 50: 5, 100: 10}[width])
    assert norm(torch.ones(2, width, 4, 4)).shape == (2, width, 4, 4)


def test_a_solver_of_low_order_has_its_work_and_precision_measured():
    """Its reference is that of an accurate solver, which its own could not reach in so many steps."""
    learner = DenseODEClassifier(width=8, solver="adaptive_heun")
    torch.manual_seed(0)
    network = learner.network((1, 8, 8), 10)
    with torch.no_grad():
        for weight in network.body.field.parameters():  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
            weight *= 3
    points = sweep_tolerances(network, torch.randn(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64))
    assert len(points) > 4
    assert points[-1].error < points[0].error


@pytest.mark.parametrize("metric", DEPTH, ids=lambda metric: metric.name)
def test_measures_of_depth_are_undefined_without_an_adaptive_solver(metric):
    with pytest.raises(Undefined):
        metric.measure(evidence())


def test_evaluations_that_hardly_vary_have_no_exponent():
    with pytest.raises(Undefined, match="no adaptive solver took different numbers"):
        power(np.array([20.0, 20.0, 22.0]), np.array([1.0, 2.0, 3.0]))


@dataclass(frozen=True)
class Guess(FittedClassifier):
    """Knows the labels of the stripes, or fails in some way."""

    how: str = "well"
    log: TrainingLog = field(default_factory=TrainingLog)

    @property
    def parameters(self) -> int:
        return 1

    def probabilities(self, pixels: Tensor) -> Tensor:
        if self.how == "raises":
            raise SolverError("no way on")
        places = pixels[:, 0].flatten(1).argmax(1)
        found = torch.nn.functional.one_hot((places // 8 + 5 * (places % 8 >= 4)), 10).double()
        return {"nan": found * torch.nan, "shape": found[:, :3]}.get(self.how, found)


@dataclass(frozen=True)
class Guessing(Classifier):
    """Fits nothing."""

    how: str = "well"
    failure: str = ""

    def fit_replicas(self, dataset: ImageDataset, budget: Budget, seeds: Sequence[int]) -> list[FittedClassifier]:
        if self.how == "none":
            return []
        log = TrainingLog(failure=Failure("solver_failed", self.failure)) if self.failure else TrainingLog()
        return [Guess(self.how, log) for _ in seeds]


def cell(learner: Classifier) -> ImageCell:
    return ImageCell(Stripes(), learner, SAMPLING, METRICS, Budget(), (0, 1), data_seed=0)


def value(record: Record, metric: str) -> float | None:
    return next(one.value for one in record.measurements if one.metric == metric)


def test_a_cell_of_images_leaves_records_and_files(tmp_path):
    records = stubs.records_of(cell(Guessing()), tmp_path, tmp_path)
    assert [(record.system, record.learner, record.seed, record.status) for record in records] == [
        ("Stripes", "Guessing", 0, "ok"),
        ("Stripes", "Guessing", 1, "ok"),
    ]
    assert [value(records[0], name) for name in ("test_error", "parameters", "nfe_growth")] == [0, 1, None]
    assert "no nfe_growth: no adaptive solver" in records[0].reason
    arrays = read_arrays(tmp_path / "arrays.npz")
    assert {name: values.shape for name, values in arrays.items()} == {"probabilities": (2, 20, 10), "labels": (20,)}
    described = json.loads((tmp_path / "cell.json").read_text())
    assert (described["learner"], described["seeds"], described["timescale_name"]) == ("Guessing", [0, 1], "")
    assert "bench.cells.classifying" in described["digest"]


@pytest.mark.parametrize(
    ("learner", "status", "reason"),
    [
        (Guessing("nan"), "diverged", "probabilities of test images left the finite numbers"),
        (Guessing("raises"), "solver_failed", "SolverError: no way on"),
        (Guessing("raises", "step 3 failed"), "solver_failed", "step 3 failed; SolverError: no way on"),
        (Guessing("well", "step 3 failed"), "solver_failed", "step 3 failed"),
        (Guessing("shape"), "crashed", "must give probabilities of shape (20, 10), but (20, 3)"),
        (Guessing("none"), "crashed", "must return 2 fittedclassifiers, one a seed, but returns none"),
    ],
    ids=repr,
)
def test_what_goes_wrong_is_a_record_with_its_reason(tmp_path, learner, status, reason):
    for record in stubs.records_of(cell(learner), tmp_path, tmp_path):
        assert record.status == status
        assert reason in record.reason


def test_what_keeps_a_solver_from_the_test_images_keeps_the_value_of_the_metrics_that_remain(tmp_path):
    record = stubs.records_of(cell(Guessing("well", "step 3 failed")), tmp_path, tmp_path)[0]
    assert value(record, "test_error") == 0


def test_preparing_reads_the_images_and_leaves_nothing_in_the_folder(tmp_path):
    cell(Guessing()).prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_of_classifiers_is_reported(tmp_path):
    learners = (small(ResNetClassifier), small(ODENetClassifier), small(MLPClassifier))
    suite = Suite("pictures", "Pictures.", (Stripes(),), learners, METRICS, SAMPLING, seeds=2)
    cells, store = suite.cells(), Store(tmp_path)
    assert {type(cell) for cell in cells} == {ImageCell}
    keyed = planned(cells, tmp_path)
    for one in keyed:
        with store.stage(one.key) as folder:
            fit_cell(one, tmp_path, folder)
            (folder / "log.txt").touch()
    folder = tmp_path / "pictures"
    folder.mkdir()
    about = {"command": "python -m bench run"}
    (folder / "manifest.json").write_text(json.dumps(manifest(suite, keyed, "standard", about)))
    page = write_report(Run.load(folder)).read_text()
    assert "has the lowest test error on Stripes" in page
    table = pd.read_csv(folder / "tables" / "leaderboard.csv")
    assert "test_error_Stripes" in table.columns
    drawn = {path.stem for path in (folder / "figures").glob("*.png")}
    names = ("error", "time", "backward", "memory", "training")
    assert {f"depth_{name}" for name in names} <= drawn
    assert not {name for name in drawn if name.startswith(("prediction", "pq", "attractors"))}
    assert len(pd.read_csv(folder / "results.csv")) == 3 * 2 * len(METRICS)


def test_the_suites_of_the_package_are_of_this_family():
    from bench.suites.images import suite as images
    from bench.suites.mnist import suite as mnist

    for suite in (images, mnist):
        assert suite.family == "classification"
        assert suite.metrics[0].name == "test_error"
        references = [type(learner).__name__ for learner in suite.learners if learner.reference]
        assert references == ["MLPClassifier"]
        assert len(suite.learners) >= 4
    assert (images.seeds, Path(mnist.systems[0].root).name) == (5, "dynamics-bench")  # type: ignore[union-attr]
    training = getattr(mnist.learners[0], "training")  # noqa: B009
    epochs = [mnist.budgets[name].updates(training.updates) / (58_000 // 128) for name in mnist.budgets]  # type: ignore[union-attr]
    assert epochs == [1, 5, 160]
