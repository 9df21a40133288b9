"""A cell: one system met by one learner, with all its seeds."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from bench.cells.drawings import Arrays
from bench.cells.trial import Trial
from learners import Budget
from metrics import Metric
from systems.configuration import label

AnySystem = TypeVar("AnySystem")  # System or ImageSet
AnyLearner = TypeVar("AnyLearner", bound=Any)  # Learner or Classifier
AnySampling = TypeVar("AnySampling")  # Sampling or ImageSampling


@dataclass(frozen=True)
class Cell(ABC, Generic[AnySystem, AnyLearner, AnySampling]):
    """One system met by one learner, with all its seeds: the unit of work, of caching and of failure.

    Each kind of cell is a final class, whose module and imports are the code that the cell's key stands for.
    """

    evidence: ClassVar[type | None] = None  # what metrics measure, if it can be kept and measured again

    system: AnySystem
    learner: AnyLearner
    sampling: AnySampling
    metrics: tuple[Metric, ...]
    budget: Budget
    seeds: tuple[int, ...]
    data_seed: int
    device: str = "cpu"

    @abstractmethod
    def prepare(self, data: Path) -> None:
        """Make the data of the cell in the folder `data`, unless they are there."""

    @abstractmethod
    def run(self, data: Path) -> list[Trial]:
        """Fit the learner on data in the folder `data`, and measure: one trial for each seed, in their order.

        What goes wrong with one seed is in its record. Raises whatever the system or the fit of all seeds raises.
        """

    @abstractmethod
    def arrays(self, evidence: Any) -> Arrays:
        """The arrays that figures of one seed are drawn from."""

    @abstractmethod
    def units(self) -> dict[str, Any]:
        """What the system's time and space are measured in, for `cell.json`."""

    @property
    def system_label(self) -> str:
        return label(self.system)

    @property
    def learner_label(self) -> str:
        return label(self.learner)

    @property
    def names(self) -> set[str]:
        """What the system and the learner are called, with and without their settings."""
        return {self.system_label, self.learner_label, type(self.system).__name__, type(self.learner).__name__}

    def about(self) -> dict[str, Any]:
        """What `cell.json` says of the cell, beside its key and its whole configuration, as JSON-ready values."""
        return {
            "system": self.system_label,
            "learner": self.learner_label,
            "reference": self.learner.reference,
            "seeds": list(self.seeds),
            "data_seed": self.data_seed,
            **self.units(),
            "updates_effort": self.budget.effort,
            "device": self.device,
        }
