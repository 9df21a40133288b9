"""What learners do on a device beside what they do on the CPU."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from learners import Budget, Learner, Predictor
from learners.training.counting import counting
from learners.training.run import TrainingRun
from learners.training.training_step import collect_steps
from systems import Dataset
from systems.images import ImageDataset

BUDGET = Budget()


def forecast(predictor: Predictor, data: Dataset) -> Tensor:
    """All test forecasts."""
    context = data.sampling.context
    return predictor.forecast(data.test.between(0, context), data.test.times[:, context:]).states


def assert_same_models(learner: Learner, data: Dataset, device: str, tolerance: float) -> list[Predictor]:
    """The learner's models on a device, after a look that they forecast there, and as those of the CPU."""
    here, there = learner.fit(data, BUDGET, (0, 1)), learner.fit(data.to(device), BUDGET, (0, 1))
    for one, other in zip(here, there, strict=True):
        found = forecast(other, data.to(device))
        assert found.device.type == device
        torch.testing.assert_close(found.cpu(), forecast(one, data), rtol=tolerance, atol=tolerance, equal_nan=True)
    return there


def assert_same_classes(classifier: Any, images: ImageDataset, device: str, tolerance: float) -> None:
    """The classifier's model on a device gives the probabilities of that on the CPU, and is swept as often."""
    there = images.to(device)
    (one,), (other,) = classifier.fit(images, BUDGET, (0,)), classifier.fit(there, BUDGET, (0,))
    found = other.probabilities(there.test.pixels)
    assert found.device.type == device
    torch.testing.assert_close(found.cpu(), one.probabilities(images.test.pixels), rtol=tolerance, atol=tolerance)
    assert len(other.sweep(there.test)) == len(one.sweep(images.test))


def prepared_updates(learner: Learner, data: Dataset) -> tuple[TrainingRun, Sequence[Tensor], Predictor]:
    """A training run after two updates, measured and maybe recorded, three more minibatches, an untrained predictor."""
    with collect_steps() as steps:
        predictor, *_ = learner.fit(data, BUDGET, (0, 1))
    run = TrainingRun(steps[0], None, count_flops=False)
    with counting(steps[0].counted) as run.tally:
        first, second, *others = list(steps[0].minibatches(5))
        run.update(first, 1e-3)
        run.update(second, 1e-3)
    return run, others, predictor
