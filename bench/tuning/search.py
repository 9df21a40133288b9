"""Tuning: the same number of trials for every learner of a suite, on validation data alone, and what comes of it.

A trial fits one choice of settings on every system, with all seeds, under the budget of the suite, for as long as the
learner's own settings would take. Its cells are kept as those of a run are, and what a search proposes depends on the
errors before it alone: a search that was stopped goes over the finished trials again in no time, and continues where it
was.

Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", KDD 2019; Bergstra et al., "Algorithms
for hyper-parameter optimization", NeurIPS 2011.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import exp, log, prod
from statistics import fmean
from typing import Any

import numpy as np

from bench.catalogue.settings import Settings, set_to
from bench.cells.cell import Cell
from bench.equal_time import training_field, training_of
from bench.errors import UserError
from bench.runner.outcomes import Outcome
from bench.tuning.held_out import HIGHEST, HeldOutCell, validation_error
from bench.tuning.prices import Price, in_time_of
from bench.tuning.space import Space, search_space
from learners import Learner
from results import Record

RunCells = Callable[[Sequence[Cell]], Outcome]

SEED = 0  # of every search
REPEATS = 20  # of choices that were tried before, one after the other


@dataclass(frozen=True)
class Candidate:
    """A choice of settings that was tried: its errors in standard deviations, and what went wrong with some trials."""

    settings: Settings
    errors: Mapping[str, float]  # by system; none where the learner applies to no system
    failure: str = ""

    @property
    def error(self) -> float | None:
        """Geometric mean over systems; None where the learner applies to none."""
        return min(HIGHEST, exp(fmean(map(log, self.errors.values())))) if self.errors else None


@dataclass(frozen=True)
class Search:
    """All that was tried of one learner, its own settings first."""

    learner: Learner
    candidates: tuple[Candidate, ...] = ()

    @property
    def best(self) -> Candidate | None:
        """The first of those with the lowest error; None where nothing could be fitted."""
        fitted = [one for one in self.candidates if one.error is not None and one.error < HIGHEST]
        return min(fitted, key=lambda one: one.error or 0.0, default=None)

    @property
    def found(self) -> Settings:
        """The settings of the best that differ from the learner's own."""
        if self.best is None:
            return {}
        own = self.candidates[0].settings
        return {name: value for name, value in self.best.settings.items() if value != own[name]}

    @property
    def error_elsewhere(self) -> float | None:
        """What tuning can promise of a system that it has not seen: each left out in turn.

        The geometric mean over systems of the error on each with the settings that are best on all others; None where
        the learner applies to fewer than two.
        """
        tried = [one.errors for one in self.candidates]
        systems = tried[0]
        if len(systems) < 2:
            return None
        best = {
            left_out: min(tried, key=lambda errors: fmean(log(errors[one]) for one in systems if one != left_out))
            for left_out in systems
        }
        return exp(fmean(log(errors[left_out]) for left_out, errors in best.items()))


def tunable(cells: Sequence[Cell]) -> list[Learner]:
    """The learners of a suite's cells that have something to tune, in their order."""
    learners = dict.fromkeys(cell.learner for cell in cells)
    trained = [one for one in learners if isinstance(one, Learner) and not one.reference]
    return [one for one in trained if search_space(one, trained)]


def tune_learner(
    learner: Learner,
    cells: Sequence[Cell],
    trials: int,
    run: RunCells,
    announce: Callable[[Search], None],
    price: Price | None = None,
) -> Search:
    """Try so many settings of a learner on the systems of its cells: its own first, then what Optuna proposes.

    Cells of other learners are left out. It ends at once where the learner applies to no system, and where there is no
    other choice. `announce` is called with all that was tried so far, after each trial. With a price of updates all
    trials take the same time, and without one as many updates.
    """
    found = Search(learner)
    proposals = Proposals(search_space(learner, (cell.learner for cell in cells)))
    for settings in islice(proposals, trials):
        candidate = _try_settings(learner, cells, settings, run, price)
        if found.candidates:  # what does not apply where its own settings do has failed there
            errors = {system: candidate.errors.get(system, HIGHEST) for system in found.candidates[0].errors}
            candidate = replace(candidate, errors=errors)
        found = replace(found, candidates=(*found.candidates, candidate))
        announce(found)
        if candidate.error is None:
            break
        proposals.tell(candidate.error)
    return found


class Proposals:
    """Choices of settings, each another one, until there are no more: the first values, then what Optuna proposes."""

    def __init__(self, space: Space) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        self.tried = set[tuple[int, ...]]()  # the places of the values
        self.draws = np.random.default_rng(SEED)
        self.failed = optuna.trial.TrialState.FAIL
        self.study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
        self._enqueue([0] * len(space))

    def __iter__(self) -> Iterator[Settings]:
        repeats = 0
        while len(self.tried) < prod(map(len, self.space.values())):
            self.trial = self.study.ask()
            settings = {name: self.trial.suggest_categorical(name, values) for name, values in self.space.items()}
            places = tuple(values.index(settings[name]) for name, values in self.space.items())
            if places not in self.tried:
                self.tried.add(places)
                repeats = 0
                yield settings
                continue
            self.study.tell(self.trial, state=self.failed)  # which leaves no trace but another draw
            repeats += 1
            if repeats > REPEATS:  # it is so good that nothing else is proposed
                self._enqueue([int(self.draws.integers(len(values))) for values in self.space.values()])

    def _enqueue(self, places: Sequence[int]) -> None:
        values = zip(self.space.items(), places, strict=True)
        self.study.enqueue_trial({name: choices[place] for (name, choices), place in values})

    def tell(self, error: float) -> None:
        """What came of the last one: what is proposed next depends on it."""
        self.study.tell(self.trial, error)


def _try_settings(
    learner: Learner, cells: Sequence[Cell], settings: Settings, run: RunCells, price: Price | None
) -> Candidate:
    try:
        tuned: Any = set_to(learner, settings)
        if price and (training := training_field(learner)):
            tuned = in_time_of(learner, tuned, price)
            settings = {**settings, f"{training}.updates": training_of(tuned).updates}
    except UserError as refusal:  # settings that do not go together, or whose cost cannot be told
        return Candidate(settings, {}, str(refusal))
    replaced: dict[str, Any] = {"learner": tuned, "metrics": (validation_error,)}
    tried = [HeldOutCell(**vars(cell) | replaced) for cell in cells if cell.learner == learner]
    records = list(run(tried).records.values())
    failure = next((f"{one.status}: {one.reason}" for each in records for one in each if one.status != "ok"), "")
    return Candidate(settings, errors_of(records), failure)


def errors_of(records: Sequence[Sequence[Record]]) -> dict[str, float]:
    """The error on each system, the geometric mean over its seeds: HIGHEST for trials that failed.

    Systems to which the learner does not apply are left out.
    """

    def log_error(record: Record) -> float:
        value = record.measurements[0].value
        return log(HIGHEST if value is None or record.status != "ok" else value)

    applied = [seeds for seeds in records if any(one.status != "skipped" for one in seeds)]
    return {seeds[0].system: exp(fmean(map(log_error, seeds))) for seeds in applied}
