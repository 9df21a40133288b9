"""A cell: one system met by one learner, with all its seeds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from bench.cells.drawings import Arrays
from bench.cells.trial import Trial
from bench.machine.meter import Usage, meter
from learners import Budget
from metrics import Metric
from systems.configuration import label

AnySystem = TypeVar("AnySystem")  # System or ImageSet
AnyLearner = TypeVar("AnyLearner", bound=Any)  # Learner or Classifier
AnySampling = TypeVar("AnySampling")  # Sampling or ImageSampling
Model = TypeVar("Model")  # Predictor or FittedClassifier


@dataclass(frozen=True)
class Cell(ABC, Generic[AnySystem, AnyLearner, AnySampling]):
    """One system met by one learner, with all its seeds: the unit of work, of caching and of failure.

    Each kind of cell is a final class, whose module and imports are the code that the cell's key stands for.
    """

    evidence: ClassVar[type | None] = None  # what metrics measure, if it can be kept and measured again
    apart: ClassVar[bool] = False  # whether seeds are fitted one after the other, so that each fit can be kept
    small: ClassVar[bool] = False  # whether its networks are: then several threads would only wait for each other

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

    def derived(self, data: Path) -> Arrays:
        """What evidence has from the data alone, by its flat names, with their `mean` and `scale`.

        No fit needs to keep it. Datasets are in the folder `data`.
        """
        return {}

    @abstractmethod
    def units(self) -> dict[str, Any]:
        """What the system's time and space are measured in, for `cell.json`."""

    def fit(self, data: Any, kind: type[Model]) -> tuple[list[Model], Usage]:
        """Fit the learner: one model a seed, and what fitting all of them together took.

        Raises TypeError where the learner returns anything but one model of this kind a seed.
        """
        with meter(self.device) as usage:
            models = self.learner.fit_replicas(data, self.budget, self.seeds)
        several = isinstance(models, Sequence)
        found: list[Any] = list(models) if several else [models]
        if not several or len(found) != len(self.seeds) or not all(isinstance(model, kind) for model in found):
            given = ", ".join(type(model).__name__ for model in found) or "none"
            wanted = f"{len(self.seeds)} {kind.__name__.lower()}s, one a seed"
            raise TypeError(f"{self.learner_label}.fit_replicas must return {wanted}, but returns {given}")
        return found, usage

    def trials_of(self, models: Sequence[Model], measure_model: Callable[[int, Model], Trial]) -> list[Trial]:
        """A trial for each seed; a model that several share, as of a deterministic learner, is measured once."""
        trials: dict[int, Trial] = {}
        for seed, model in zip(self.seeds, models, strict=True):
            if id(model) not in trials:
                trials[id(model)] = measure_model(seed, model)
        return [trials[id(model)].of(seed) for seed, model in zip(self.seeds, models, strict=True)]

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
