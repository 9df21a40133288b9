"""What one cell is: a system, a learner and all the seeds, and how it is fitted and measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeVar

import torch

from bench import key as keys
from bench.artifacts import write
from bench.data import observe
from bench.environment import environment, usage
from bench.meter import Reading, meter
from bench.stages import Stages, curves
from bench.trial import Trial, examine, failed, foresee, verdict
from learners import Budget, Predictor
from learners.watching import watched
from metrics import Metric
from results import Record
from systems.configuration import label

Observed = TypeVar("Observed")  # a System, or an ImageSet
Taught = TypeVar("Taught")  # a Learner, or a Classifier
Protocol = TypeVar("Protocol")  # a Sampling, or an ImageSampling
Model = TypeVar("Model")


@dataclass(frozen=True)
class Cell(Generic[Observed, Taught, Protocol]):
    """One system met by one learner, with all its seeds; the unit of work, of caching and of failure."""

    system: Observed
    learner: Taught
    sampling: Protocol
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
    """Fit and measure a cell, write its files into `folder`, and return a record for each seed, in their order."""
    return [trial.record for trial in carry_out(cell, data_folder, folder, key)]


def carry_out(cell: Cell, data_folder: Path, folder: Path, key: str | None = None) -> list[Trial]:
    """Fit and measure a cell, write its files into `folder`, and return a trial for each seed, in their order.

    No error of the system, the learner or a metric is raised: it becomes a record, and its traceback goes to stderr.
    `key` is for a caller who has worked it out already.
    """
    begin = perf_counter()
    surroundings = environment(cell.device, torch.get_num_threads())
    try:
        trials = conduct(cell, data_folder)
    except Exception as error:
        status, reason = verdict(error)
        trials = [Trial(failed(cell, seed, status, reason)) for seed in cell.seeds]
    write(folder, cell, key or keys.key(cell), trials, surroundings | usage(), perf_counter() - begin)
    return trials


@singledispatch
def prepare(cell: Cell, data_folder: Path) -> None:
    """Have the data of a cell at hand."""
    observe(cell.system, cell.sampling, cell.data_seed, data_folder)


@singledispatch
def conduct(cell: Cell, data_folder: Path) -> list[Trial]:
    """A trial for each seed; the family of the cell decides how."""
    data, known = observe(cell.system, cell.sampling, cell.data_seed, data_folder)
    data = data.to(cell.device)
    stages = Stages()
    with watched(stages):
        predictors, fitting = fit(cell, data, Predictor)
    measured = curves(cell, predictors, data, known, stages)
    foreseen = foresee(cell, predictors, data)

    def trial(seed: int, predictor: Predictor) -> Trial:
        found = examine(cell, seed, predictor, data, known, fitting, foreseen)
        return replace(found, curve=measured[id(predictor)])

    return examined(cell, predictors, trial)


def fit(cell: Cell, data: Any, kind: type[Model]) -> tuple[list[Model], Reading]:
    """The fitted models, and what fitting all of them together took: peak memory is not told apart by seed."""
    with meter(cell.device) as reading:
        models = cell.learner.fit(data, cell.budget, cell.seeds)
    if len(models) != len(cell.seeds) or not all(isinstance(model, kind) for model in models):
        given = ", ".join(type(model).__name__ for model in models) or "none"
        wanted = f"{len(cell.seeds)} {kind.__name__.lower()}s, one a seed"
        raise TypeError(f"{cell.learner_label}.fit must return {wanted}, but returns {given}")
    return models, reading


def examined(cell: Cell, models: Sequence[Model], examine: Callable[[int, Model], Trial]) -> list[Trial]:
    """A trial for each seed; a model that several share, as of a deterministic learner, is measured once."""
    pairs, trials = list(zip(cell.seeds, models, strict=True)), {}
    for seed, model in pairs:
        if id(model) not in trials:
            trials[id(model)] = examine(seed, model)
    return [trials[id(model)].of(seed) for seed, model in pairs]
