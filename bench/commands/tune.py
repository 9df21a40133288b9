"""`python -m bench tune`: find settings of a suite's learners on validation data, and write them as a suite."""

import sys
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import INTERRUPTED, NOTHING_MEASURED, SOME_FAILED, UserError, at_least, positive, tell
from bench.options import (
    RUNS,
    Budget,
    DataSeed,
    Device,
    Include,
    Jobs,
    Learners,
    Out,
    Quiet,
    Seeds,
    SuiteName,
    Systems,
    Timeout,
    Trials,
    Where,
)
from bench.runner.interrupts import interruptible

if TYPE_CHECKING:
    from rich.table import Table

    from bench.planning.plan import Plan
    from bench.tuning.search import Search

TRIALS = 20
KEPT, WRITTEN = "trials", "tuning"  # folders of the store: finished trials, and the suites that were found


def tune(
    suite: SuiteName = "",
    system: Systems = None,
    learner: Learners = None,
    include: Include = None,
    trials: Trials = TRIALS,
    seeds: Seeds = None,
    data_seed: DataSeed = None,
    budget: Budget = "standard",
    device: Where = Device.AUTO,
    jobs: Jobs = None,
    timeout: Timeout = None,
    out: Out = RUNS,
    quiet: Quiet = False,
) -> int:
    """Tune the learners of a suite on validation data, and write what is found as a suite.

    Each gets the same number of trials under the same budget, its settings in the
    suite first. A trial's error is that of forecasts of the validation
    trajectories: the test data are never seen. Finished trials are kept: the
    same command resumes, and more trials continue.
    """
    from bench.planning.plan import prepare
    from bench.request import Request
    from bench.tuning.suite_file import write

    if find_spec("optuna") is None:
        raise UserError("tuning needs the extra tune: pip install 'dynamics-bench[tune]'")
    at_least("--trials", trials, 1)
    positive("--timeout", timeout, "seconds")
    request = Request(
        suite,
        systems=system or (),
        learners=learner or (),
        include=include or (),
        seeds=seeds,
        data_seed=data_seed,
        budget=budget,
        device=device,
        jobs=jobs,
        out=out,
    )
    with interruptible():
        plan = prepare(request)
        try:
            found = _search(plan, trials, timeout, quiet)
        except KeyboardInterrupt:
            tell(f"interrupted: finished trials are kept; resume with\n  {plan.manifest['command']}")
            return INTERRUPTED
    path = write(plan.store.root / WRITTEN, request, plan.manifest["suite"], found, plan.manifest["command"])
    if quiet:
        sys.stdout.write(f"{path}\n")
    else:
        _conclude(found, path)
    ended = [one.best is not None for one in found]
    return 0 if all(ended) else SOME_FAILED if any(ended) else NOTHING_MEASURED


def _search(plan: "Plan", trials: int, timeout: float | None, quiet: bool) -> "list[Search]":
    """One search after the other, each trial announced as it ends. Raises UserError where there is nothing to tune."""
    from bench.runner import run as runner
    from bench.tuning.search import search, tunable
    from results import Store

    _check(plan)
    learners = tunable(plan.cells)
    if not learners:
        names = ", ".join(dict.fromkeys(cell.learner_label for cell in plan.cells if not cell.learner.reference))
        raise UserError(f"nothing to tune: no search space is declared for {names or 'reference rows'}")
    run = partial(runner.run, store=Store(plan.store.root, KEPT), jobs=plan.jobs, timeout=timeout)
    announce = (lambda tried: None) if quiet else partial(_announce, trials)
    return [search(learner, plan.cells, trials, run, announce) for learner in learners]


def _check(plan: "Plan") -> None:
    """Raise UserError where the suite has no validation data that could be forecast."""
    from systems import Sampling

    for cell in plan.cells:
        if not isinstance(cell.sampling, Sampling):
            raise UserError(f"suite {plan.manifest['suite']} is for classification: only forecasts can be tuned")
        if cell.sampling.samples <= cell.sampling.context:
            raise UserError(
                f"validation trajectories of {cell.system_label} have {cell.sampling.samples} samples, which leaves "
                f"nothing to forecast after a context of {cell.sampling.context}: raise Sampling.samples"
            )


def _announce(trials: int, tried: "Search") -> None:
    from rich.console import Console

    from systems.configuration import label

    last, best = tried.attempts[-1], tried.best
    error = "does not apply" if last.error is None else f"{last.error:.4g}"
    lowest = f", lowest {best.error:.4g}" if best else ""
    why = f" ({last.failure})" if last.failure else ""
    line = f"{label(tried.learner)}  trial {len(tried.attempts)} of {trials}: {error}{lowest}{why}"
    Console(highlight=False).print(line, markup=False, soft_wrap=True)


def _conclude(found: "Sequence[Search]", path: Path) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print("", table(found), "")
    console.print("error: geometric mean over systems, seeds and times, in standard deviations, of validation data")
    console.print(f"run it: python -m bench run --suite {path}", markup=False, soft_wrap=True)


def table(found: "Sequence[Search]") -> "Table":
    """What was tried of each learner, and the best settings other than its own."""
    from rich.text import Text

    from bench.display.tables import table_of
    from systems.configuration import label

    rows = table_of("learner", "trials", "failed", "error", "tuned", "settings")
    for column in rows.columns[1:5]:
        column.justify, column.no_wrap = "right", True
    for one in found:
        failed = sum(bool(attempt.failure) for attempt in one.attempts)
        errors = [
            f"{attempt.error:.4g}" if attempt and attempt.error else "-" for attempt in (one.attempts[0], one.best)
        ]
        settings = ", ".join(f"{name}={value}" for name, value in one.found.items()) or "as they were"
        counts = (str(len(one.attempts)), str(failed), *errors)
        rows.add_row(Text(label(one.learner)), *map(Text, counts), Text(settings if one.best else "none: all failed"))
    return rows
