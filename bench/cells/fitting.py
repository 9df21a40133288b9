"""Fitting all seeds of a cell, and measuring each distinct model once."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bench.cells.cell import Cell
from bench.cells.trial import Trial
from bench.machine.meter import Usage, meter

Model = TypeVar("Model")  # Predictor or FittedClassifier


def fit(cell: Cell, data: Any, kind: type[Model]) -> tuple[list[Model], Usage]:
    """Fit the learner of a cell: one model a seed, and what fitting all of them together took.

    Raises TypeError where the learner returns anything but one model of this kind a seed.
    """
    with meter(cell.device) as usage:
        models = cell.learner.fit(data, cell.budget, cell.seeds)
    if len(models) != len(cell.seeds) or not all(isinstance(model, kind) for model in models):
        given = ", ".join(type(model).__name__ for model in models) or "none"
        wanted = f"{len(cell.seeds)} {kind.__name__.lower()}s, one a seed"
        raise TypeError(f"{cell.learner_label}.fit must return {wanted}, but returns {given}")
    return models, usage


def trials_of(
    seeds: Sequence[int], models: Sequence[Model], measure_model: Callable[[int, Model], Trial]
) -> list[Trial]:
    """A trial for each seed; a model that several share, as of a deterministic learner, is measured once."""
    trials: dict[int, Trial] = {}
    for seed, model in zip(seeds, models, strict=True):
        if id(model) not in trials:
            trials[id(model)] = measure_model(seed, model)
    return [trials[id(model)].of(seed) for seed, model in zip(seeds, models, strict=True)]
