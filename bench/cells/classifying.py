"""A cell of the second family: an image set met by a classifier, fitted and measured."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells.cell import Cell, about, digest, examined, failed, fit, identity, record_of
from bench.cells.drawings import Arrays, drawings
from bench.cells.forecasting import conduct, prepare
from bench.cells.trial import Ending, Trial, verdict
from bench.errors import one_line
from bench.machine.meter import Reading, meter
from learners.images.base import Classifier, FittedClassifier, SolverPoint
from metrics.classification import ClassificationCost, ClassificationEvidence, DepthSweep
from systems.images import ImageDataset, ImageSampling, ImageSet, sample_images

SWEPT = 32  # test images on which the solver's work and precision are compared


class ImageCell(Cell[ImageSet, Classifier, ImageSampling]):
    """One image set met by one classifier, with all its seeds."""


@prepare.register
def _(cell: ImageCell, data_folder: Path) -> None:
    sample_images(cell.system, cell.sampling, cell.data_seed)  # its files are where the set says, not in the folder


@conduct.register
def _(cell: ImageCell, data_folder: Path) -> list[Trial]:
    data = sample_images(cell.system, cell.sampling, cell.data_seed).to(cell.device)
    models, fitting = fit(cell, data, FittedClassifier)
    return examined(cell, models, lambda seed, model: examine(cell, seed, model, data, fitting))


@about.register
def _(cell: ImageCell, key: str, seconds: float) -> dict[str, Any]:
    return {
        "key": key,
        "system": cell.system_label,
        "learner": cell.learner_label,
        "reference": cell.learner.reference,
        "seeds": list(cell.seeds),
        "data_seed": cell.data_seed,
        "timescale_name": "",  # images have none
        "updates_effort": cell.budget.effort,
        "device": cell.device,
        "configuration": identity(cell),
        "digest": digest(cell),
        "seconds": seconds,
    }


def examine(cell: ImageCell, seed: int, model: FittedClassifier, data: ImageDataset, fitting: Reading) -> Trial:
    """Classify the test images, and measure; what goes wrong ends in the record, its traceback on stderr.

    A model whose training failed keeps that as its status, whatever it makes of the images.
    """
    failure = model.log.failure
    ending = Ending(failure.status, (one_line(failure.reason),)) if failure else Ending()
    try:
        evidence: Any = _evidence(cell, model, data, fitting)
        if not np.isfinite(evidence.probabilities).all() and not failure:
            ending = Ending("diverged", ("probabilities of test images left the finite numbers",))
        record = record_of(cell, seed, evidence, ending)
        return Trial(record, model.log.curve, drawings(evidence), model.weights(), evidence, ending)
    except Exception as error:
        status, reason = verdict(error)
        if failure:
            status, reason = failure.status, "; ".join([*ending.reasons, reason])
        return Trial(failed(cell, seed, status, reason), model.log.curve)


@drawings.register
def _(evidence: ClassificationEvidence) -> Arrays:
    """What figures are drawn from, for one seed."""
    sweep = {f"sweep_{name}": values for name, values in asdict(evidence.sweep).items() if len(values)}
    return {"probabilities": evidence.probabilities.astype(np.float32), "labels": evidence.labels} | sweep


def _evidence(cell: ImageCell, model: FittedClassifier, data: ImageDataset, fitting: Reading) -> ClassificationEvidence:
    labels = data.test.labels.numpy(force=True)
    with meter(cell.device) as reading:
        probabilities = model.probabilities(data.test.pixels).numpy(force=True)
    if probabilities.shape != (len(labels), cell.system.classes):
        shape = (len(labels), cell.system.classes)
        raise ValueError(f"{cell.learner_label} must give probabilities of shape {shape}, but {probabilities.shape}")
    log, some = model.log, np.arange(min(SWEPT, len(labels)))
    cost = ClassificationCost(
        parameters=model.parameters,
        updates=log.updates,
        nfe_forward=log.nfe_forward,
        nfe_backward=log.nfe_backward,
        fit_seconds=log.fit_seconds,
        test_seconds=reading.seconds,
        saved_bytes=log.saved_bytes,
        peak_bytes=fitting.peak_bytes,
    )
    history = np.array([point.nfe_forward for point in log.curve])
    return ClassificationEvidence(probabilities, labels, cost, history, _sweep(model.sweep(data.test.at(some))))


def _sweep(points: list[SolverPoint]) -> DepthSweep:
    names = [field.name for field in fields(DepthSweep)]
    return DepthSweep(**{name: np.array([getattr(point, name) for point in points], dtype=float) for name in names})
