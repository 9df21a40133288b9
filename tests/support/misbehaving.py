"""Learners that misbehave, or leave a trace of what was done with them."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from learners import Budget, Learner, Predictor
from systems import Dataset
from tests.support.stubs import Instant, Turning


def note(journal: str, line: str) -> None:
    """Append a line in one stroke."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


@dataclass(frozen=True)
class Journaled(Learner):
    """Writes down each time that it is fitted, and takes its time."""

    journal: str
    number: int
    seconds: float = 0.05

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        note(self.journal, f"{self.number} {os.getpid()}")
        time.sleep(self.seconds)
        return [Turning(seed + self.number) for seed in seeds]


@dataclass(frozen=True)
class Clocked(Learner):
    """Writes down when it is fitted."""

    journal: str
    number: int

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        note(self.journal, str(time.monotonic()))
        return Instant().fit_replicas(dataset, budget, seeds)


HOARD: list[np.ndarray | torch.Tensor] = []


@dataclass(frozen=True)
class Hungry(Learner):
    """Allocates without end, by numpy or by torch."""

    by: str = "numpy"

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        while True:
            HOARD.append(np.ones(2**20) if self.by == "numpy" else torch.ones(2**21))


@dataclass(frozen=True)
class Meddling(Learner):
    """Overwrites the data that it is given."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        dataset.train.states.zero_()
        dataset.test.states.zero_()
        return Instant().fit_replicas(dataset, budget, seeds)


@dataclass(frozen=True)
class Signalled(Learner):
    """Sends a signal to its own process, as from outside."""

    number: int = int(signal.SIGTERM)

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        os.kill(os.getpid(), self.number)
        return Instant().fit_replicas(dataset, budget, seeds)


@dataclass(frozen=True)
class Leaving(Learner):
    """Asks Python to end the program."""

    code: int = 5

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        raise SystemExit(self.code)


@dataclass(frozen=True)
class Filling(Learner):
    """Knows the answer, with weights that take much room on the disk."""

    mebibytes: int = 4

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [Heavy(seed, self.mebibytes) for seed in seeds]


class Heavy(Turning):
    """A model with many weights that do nothing."""

    def __init__(self, seed: int, mebibytes: int) -> None:
        super().__init__(seed)
        object.__setattr__(self, "mebibytes", mebibytes)

    def weights(self) -> dict[str, torch.Tensor]:
        return {"weights": torch.zeros(self.mebibytes * 2**18)}  # type: ignore[attr-defined]


def wait_for(path: Path) -> None:
    """Return when a file is there."""
    while not path.exists():
        time.sleep(0.01)


@dataclass(frozen=True)
class Waiting(Learner):
    """Says that it has begun, by one file, and goes on when there is another."""

    begun: str
    go: str

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        Path(self.begun).touch()
        wait_for(Path(self.go))
        return Instant().fit_replicas(dataset, budget, seeds)
