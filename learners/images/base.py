"""What a classifier is: hyper-parameters that, fitted to labelled images, give models; and what such a model can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float, UInt8
from torch import Tensor

from learners.base import Budget, Method, TrainingLog
from systems.images import ImageDataset, LabelledImages


@dataclass(frozen=True)
class SolverPoint:
    """What solving a trained block of continuous depth at one tolerance takes, and how far off it is.

    `error` is relative to a solution in double precision at a tight tolerance; evaluations, seconds and bytes are those
    of the block alone, for one batch.
    """

    tolerance: float
    error: float
    nfe_forward: int
    nfe_backward: int
    forward_seconds: float
    saved_bytes: int


class FittedClassifier(ABC):
    """A fitted model of classes. No method changes the model or its arguments."""

    log: TrainingLog = TrainingLog()

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of learned numbers."""

    @abstractmethod
    def probabilities(self, pixels: UInt8[Tensor, "image channel height width"]) -> Float[Tensor, "image class"]:
        """How probable each class is for each image, in float64. Raises SolverError where a solver cannot go on."""

    def sweep(self, images: LabelledImages) -> list[SolverPoint]:
        """Work and precision of the model's adaptive solver on some images, from coarse to fine; empty without one."""
        return []

    def weights(self) -> dict[str, Tensor]:
        """The learned numbers by name, for a checkpoint."""
        return {}


@dataclass(frozen=True)
class Classifier(Method):
    """A method of learning to classify images whose dataclass fields are its hyper-parameters."""

    @abstractmethod
    def fit_replicas(self, dataset: ImageDataset, budget: Budget, seeds: Sequence[int]) -> list[FittedClassifier]:
        """Fit one model for each seed, on the device where the dataset lies, without changing the dataset.

        A model that fails to train is returned all the same, with the reason in its `log.failure`.
        """
