"""What one cell is: a system, a learner and all the seeds, and how it is fitted and measured."""

from dataclasses import dataclass

from learners import Budget, Learner
from metrics import Metric
from systems import Sampling, System


@dataclass(frozen=True)
class Cell:
    """One system met by one learner, with all its seeds; the unit of work, of caching and of failure."""

    system: System
    learner: Learner
    sampling: Sampling
    metrics: tuple[Metric, ...]
    budget: Budget
    seeds: tuple[int, ...]
    data_seed: int
    device: str = "cpu"
