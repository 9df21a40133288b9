"""What learners do on a device beside what they do on the CPU."""

from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import metrics
from bench.cells.cell import Cell
from learners import Budget, Learner, Predictor, Unsuitable
from learners.training.counting import counting
from learners.training.run import TrainingRun
from learners.training.training_step import collect_steps
from metrics import ClassificationMetric, Metric
from systems import Dataset, Sampling
from systems.images import ImageDataset

BUDGET = Budget()
LONGER = Sampling(  # than those of `small_learners`: metrics need so much
    step=0.05, trajectories=2, samples=40, valid=1, test=2, context=4, horizon=0.5, climate=2, climate_horizon=6
)
EXPORTED = [one for name in sorted(metrics.__all__) if isinstance(one := getattr(metrics, name), Metric)]
OF_FORECASTS, OF_IMAGES = (
    tuple(one for one in EXPORTED if isinstance(one, ClassificationMetric) == of_images) for of_images in (False, True)
)
OF_THE_MACHINE = {"fit_seconds", "forecast_seconds", "kept_bytes", "peak_bytes", "energy", "images_per_second"}


def forecast(predictor: Predictor, data: Dataset) -> Tensor:
    """All test forecasts."""
    context = data.sampling.context
    return predictor.forecast(data.test.between(0, context), data.test.times[:, context:]).states


def assert_same_models(learner: Learner, data: Dataset, device: str, tolerance: float) -> list[Predictor]:
    """The learner's models on a device, after a look that they forecast there, and as those of the CPU."""
    try:
        here = learner.fit_replicas(data, BUDGET, (0, 1))
    except Unsuitable as reason:
        if isinstance(reason.__cause__, ModuleNotFoundError):  # an extra, on a machine that is lent for its GPU
            pytest.skip(str(reason))
        raise
    there = learner.fit_replicas(data.to(device), BUDGET, (0, 1))
    for one, other in zip(here, there, strict=True):
        found = forecast(other, data.to(device))
        assert found.device.type == device
        torch.testing.assert_close(found.cpu(), forecast(one, data), rtol=tolerance, atol=tolerance, equal_nan=True)
    return there


def assert_same_classes(classifier: Any, images: ImageDataset, device: str, tolerance: float) -> None:
    """The classifier's model on a device gives the probabilities of that on the CPU, and is swept as often."""
    there = images.to(device)
    (one,), (other,) = classifier.fit_replicas(images, BUDGET, (0,)), classifier.fit_replicas(there, BUDGET, (0,))
    found = other.probabilities(there.test.pixels)
    assert found.device.type == device
    torch.testing.assert_close(found.cpu(), one.probabilities(images.test.pixels), rtol=tolerance, atol=tolerance)
    assert len(other.sweep(there.test)) == len(one.sweep(images.test))


def measured(cell: Cell[Any, Any, Any], folder: Path) -> dict[str, Any]:
    """The values of a cell's only trial, those of the machine left out."""
    (trial,) = cell.run(folder)
    assert trial.record.status == "ok", trial.record.reason
    return {
        one.metric: nan if one.value is None else one.value
        for one in trial.record.measurements
        if one.metric not in OF_THE_MACHINE
    }


def prepared_updates(learner: Learner, data: Dataset) -> tuple[TrainingRun, Sequence[Tensor], Predictor]:
    """A training run after two updates, measured and maybe recorded, three more minibatches, an untrained predictor."""
    with collect_steps() as steps:
        predictor, *_ = learner.fit_replicas(data, BUDGET, (0, 1))
    run = TrainingRun(steps[0], None, count_flops=False)
    with counting(steps[0].counted) as run.tally:
        first, second, *others = list(steps[0].minibatches(5))
        run.update(first, 1e-3)
        run.update(second, 1e-3)
    return run, others, predictor
