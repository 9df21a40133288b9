"""What a suite is: systems, learners, metrics, and the protocol under which they are compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bench.cell import Cell
from learners import Budget, Learner
from metrics import Metric
from systems import Sampling, System

BUDGETS: Mapping[str, Budget] = {"quick": Budget(0.2), "standard": Budget(1.0), "paper": Budget(10.0)}


@dataclass(frozen=True)
class Suite:
    """A comparison: every learner on every system, over the same data and seeds. One expression in a file of its own."""

    name: str
    description: str
    systems: tuple[System, ...]
    learners: tuple[Learner, ...]
    metrics: tuple[Metric, ...]
    sampling: Sampling = field(default_factory=Sampling)
    seeds: int = 3
    data_seed: int = 0
    budgets: Mapping[str, Budget] = field(default_factory=lambda: BUDGETS)

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"a suite needs at least one seed, but {self.name} has seeds={self.seeds}")

    def cells(self, budget: str = "standard", device: str = "cpu") -> list[Cell]:
        """The grid of the suite, system by system."""
        spend, seeds = self.budgets[budget], tuple(range(self.seeds))
        shared = Cell(self.systems[0], self.learners[0], self.sampling, self.metrics, spend, seeds, self.data_seed, device)
        return [replace(shared, system=system, learner=learner) for system in self.systems for learner in self.learners]
