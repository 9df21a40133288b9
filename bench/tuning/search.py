"""Tuning: the same number of trials for every learner of a suite, on validation data alone, and what comes of it.

A trial fits one choice of settings on every system, with all seeds, under the budget of the suite. Its cells are kept
as those of a run are, and what a search proposes depends on the errors before it alone: a search that was stopped goes
over the finished trials again in no time, and continues where it was.

Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", KDD 2019; Bergstra et al., "Algorithms
for hyper-parameter optimization", NeurIPS 2011.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from statistics import fmean

from bench.catalogue.settings import Settings, set_to
from bench.cells.cell import Cell
from bench.errors import UserError
from bench.runner.outcomes import Outcome
from bench.tuning.held_out import HIGHEST, HeldOutCell, validation_error
from bench.tuning.space import own_settings, search_space
from learners import Learner
from results import Record

Run = Callable[[Sequence[Cell]], Outcome]

SEED = 0  # of every search


@dataclass(frozen=True)
class Attempt:
    """One choice of settings: its error in standard deviations, and what went wrong with some of its trials."""

    settings: Settings
    error: float | None  # of what applies; None where the learner applies to no system
    failure: str = ""


@dataclass(frozen=True)
class Search:
    """All that was tried of one learner, its own settings first."""

    learner: Learner
    attempts: tuple[Attempt, ...] = ()

    @property
    def best(self) -> Attempt | None:
        """The first of those with the lowest error; None where nothing could be fitted."""
        ended = [attempt for attempt in self.attempts if attempt.error is not None and attempt.error < HIGHEST]
        return min(ended, key=lambda attempt: attempt.error or 0.0, default=None)

    @property
    def found(self) -> Settings:
        """The settings in which the best is other than the learner was."""
        if self.best is None:
            return {}
        own = self.attempts[0].settings
        return {name: value for name, value in self.best.settings.items() if value != own[name]}


Announce = Callable[[Search], None]


def tunable(cells: Sequence[Cell]) -> list[Learner]:
    """The learners of a suite's cells that have something to tune, in their order."""
    learners = dict.fromkeys(cell.learner for cell in cells)
    return [one for one in learners if isinstance(one, Learner) and not one.reference and search_space(one)]


def search(learner: Learner, cells: Sequence[Cell], trials: int, run: Run, announce: Announce) -> Search:
    """Try so many settings on the systems of a learner's cells; all that was tried is announced after each of them.

    The first are the learner's own. A search ends early where the learner applies to no system.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = search_space(learner)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial(own_settings(learner, space))
    found = Search(learner)
    for _ in range(trials):
        trial = study.ask()
        settings = {name: trial.suggest_categorical(name, values) for name, values in space.items()}
        attempt = _attempt(learner, cells, settings, run)
        found = replace(found, attempts=(*found.attempts, attempt))
        announce(found)
        if attempt.error is None:
            break
        study.tell(trial, attempt.error)
    return found


def _attempt(learner: Learner, cells: Sequence[Cell], settings: Settings, run: Run) -> Attempt:
    try:
        candidate = set_to(learner, settings)
    except UserError as refusal:  # settings that do not go together
        return Attempt(settings, HIGHEST, str(refusal))
    tried = [_judged(cell, candidate) for cell in cells if cell.learner == learner]
    records = list(run(tried).records.values())
    failure = next((f"{one.status}: {one.reason}" for each in records for one in each if one.status != "ok"), "")
    return Attempt(settings, score(records), failure)


def score(records: Sequence[Sequence[Record]]) -> float | None:
    """Geometric mean of the errors over systems, and over the seeds of each: HIGHEST for trials that failed.

    Systems to which the learner does not apply are left out; None where it applies to none.
    """
    applied = [seeds for seeds in records if any(one.status != "skipped" for one in seeds)]
    if not applied:
        return None
    return exp(fmean(fmean(log(_error(one)) for one in seeds) for seeds in applied))


def _error(record: Record) -> float:
    value = record.measurements[0].value
    return HIGHEST if value is None or record.status != "ok" else value


def _judged(cell: Cell, candidate: Learner) -> HeldOutCell:
    return HeldOutCell(**vars(cell) | {"learner": candidate, "metrics": (validation_error,)})
