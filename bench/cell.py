"""What one cell is: a system, a learner and all the seeds, and how it is fitted and measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from bench import key as keys
from bench.artifacts import write
from bench.data import dataset
from bench.environment import environment
from bench.meter import Reading, meter
from bench.trial import Trial, examine, failed, verdict
from learners import Budget, Learner, Predictor
from metrics import Metric
from results import Record
from systems import Dataset, Sampling, System
from systems.configuration import label


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

    @property
    def system_label(self) -> str:
        return label(self.system)

    @property
    def learner_label(self) -> str:
        return label(self.learner)


def execute(cell: Cell, data_folder: Path, folder: Path, key: str | None = None) -> list[Record]:
    """Fit and measure a cell, write its files into `folder`, and return a record for each seed, in their order.

    No error of the system, the learner or a metric is raised: it becomes a record, and its traceback goes to stderr.
    `key` is for a caller who has worked it out already.
    """
    begin = perf_counter()
    surroundings = environment(cell.device, torch.get_num_threads())
    try:
        data = dataset(cell.system, cell.sampling, cell.data_seed, data_folder).to(cell.device)
        predictors, fitting = _fit(cell, data)
    except Exception as error:
        status, reason = verdict(error)
        trials = [Trial(failed(cell, seed, status, reason)) for seed in cell.seeds]
    else:
        trials = _examine(cell, predictors, data, fitting.peak_bytes)
    write(folder, cell, key or keys.key(cell), trials, surroundings, perf_counter() - begin)
    return [trial.record for trial in trials]


def _fit(cell: Cell, data: Dataset) -> tuple[list[Predictor], Reading]:
    """The fitted predictors, and what fitting all of them together took: peak memory is not told apart by seed."""
    with meter(cell.device) as reading:
        predictors = cell.learner.fit(data, cell.budget, cell.seeds)
    if len(predictors) != len(cell.seeds) or not all(isinstance(predictor, Predictor) for predictor in predictors):
        given = ", ".join(type(predictor).__name__ for predictor in predictors) or "none"
        raise TypeError(
            f"{cell.learner_label}.fit must return {len(cell.seeds)} predictors, one a seed, but returns {given}"
        )
    return predictors, reading


def _examine(cell: Cell, predictors: Sequence[Predictor], data: Dataset, peak_bytes: int) -> list[Trial]:
    """A trial for each seed; a predictor that several share, as of a deterministic learner, is measured once."""
    pairs, trials = list(zip(cell.seeds, predictors, strict=True)), {}
    for seed, predictor in pairs:
        if id(predictor) not in trials:
            trials[id(predictor)] = examine(cell, seed, predictor, data, peak_bytes)
    return [trials[id(predictor)].of(seed) for seed, predictor in pairs]
