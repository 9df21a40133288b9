"""A cell of the second family: an image set met by a classifier, fitted and measured."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, final

import numpy as np

from bench.cells.cell import Cell
from bench.cells.drawings import Arrays
from bench.cells.records import failed, failed_trial, measure
from bench.cells.trial import Ending, Trial, classify_error, log_error
from bench.machine.meter import Usage, meter
from learners.images.base import Classifier, FittedClassifier
from metrics.classification import ClassificationCost, ClassificationEvidence, DepthSweep
from systems.images import ImageDataset, ImageSampling, ImageSet, sample_images

SWEPT = 128  # test images on which the solver's work and precision are compared


@final
class ImageCell(Cell[ImageSet, Classifier, ImageSampling]):
    """One image set met by one classifier, with all its seeds."""

    evidence = ClassificationEvidence
    apart = True

    def prepare(self, data: Path) -> None:
        sample_images(self.system, self.sampling, self.data_seed)  # its files are where the set says, not in the folder

    def run(self, data: Path) -> list[Trial]:
        images = sample_images(self.system, self.sampling, self.data_seed).to(self.device)
        models, usage = self.fit(images, FittedClassifier)
        return self.trials_of(models, lambda seed, model: self._trial(seed, model, images, usage))

    def arrays(self, evidence: Any) -> Arrays:
        sweep = {f"sweep_{name}": values for name, values in asdict(evidence.sweep).items() if len(values)}
        return {"probabilities": evidence.probabilities.astype(np.float32), "labels": evidence.labels} | sweep

    def units(self) -> dict[str, Any]:
        return {"timescale_name": ""}  # images have none

    def _trial(self, seed: int, model: FittedClassifier, images: ImageDataset, usage: Usage) -> Trial:
        """Classify the test images, and measure; what goes wrong ends in the record, its traceback on stderr.

        A model whose training failed keeps that as its status, whatever it makes of the images.
        """
        ending = Ending.of_training(model.log.failure)
        try:
            evidence = _evidence(model, images, self.system.classes, usage, self.device, self.learner_label)
            if not np.isfinite(evidence.probabilities).all() and ending.status == "ok":
                ending = Ending("diverged", ("probabilities of test images left the finite numbers",))
            record = measure(self, seed, evidence, ending)
            return Trial(record, model.log.curve, self.arrays(evidence), model.weights(), evidence, ending)
        except Exception as error:
            if ending.status == "ok":
                return failed_trial(self, seed, error, model.log.curve)
            log_error(error)
            reason = "; ".join([*ending.reasons, classify_error(error)[1]])
            return Trial(failed(self, seed, ending.status, reason), model.log.curve)


def _evidence(
    model: FittedClassifier, images: ImageDataset, classes: int, fitting: Usage, device: str, learner: str
) -> ClassificationEvidence:
    labels = images.test.labels.numpy(force=True)
    with meter(device) as usage:
        probabilities = model.probabilities(images.test.pixels).numpy(force=True)
    if probabilities.shape != (len(labels), classes):
        shape = (len(labels), classes)
        raise ValueError(f"{learner} must give probabilities of shape {shape}, but {probabilities.shape}")
    log = model.log
    cost = ClassificationCost(
        parameters=model.parameters,
        updates=log.updates,
        nfe_forward=log.nfe_forward,
        nfe_backward=log.nfe_backward,
        fit_seconds=log.fit_seconds,
        test_seconds=usage.seconds,
        saved_bytes=log.saved_bytes,
        peak_bytes=fitting.peak_bytes / log.together,
        samples=log.samples,
    )
    history = np.array([point.nfe_forward for point in log.curve])
    swept = model.sweep(images.test.at(np.arange(min(SWEPT, len(labels)))))
    names = [field.name for field in fields(DepthSweep)]
    sweep = {name: np.array([getattr(point, name) for point in swept], dtype=float) for name in names}
    return ClassificationEvidence(probabilities, labels, cost, history, DepthSweep(**sweep))
