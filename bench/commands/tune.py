"""`python -m bench tune`: find settings of a suite's learners on validation data, and write them as a suite."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console

from bench.display.tables import table_of
from bench.errors import INTERRUPTED, NOTHING_MEASURED, SOME_FAILED, UserError, at_least, print_to_stderr
from bench.planning import plan as planning
from bench.request import Conditions, Quiet, Request, Timeout, how_option, with_options
from bench.runner.interrupts import interruptible
from bench.runs import find_executor, writing_to
from results import Store
from results.store.atomic import write_in_one_stroke

if TYPE_CHECKING:
    from bench.cells.cell import Cell
    from bench.runner.outcomes import Outcome
    from bench.tuning.search import Search


@with_options(without=("metrics", "sweeps", "shard"))
def tune(
    request: Request,
    trials: Annotated[int, how_option(metavar="N", help="Choices of settings that are tried for each learner.")] = 20,
    timeout: Timeout = None,
    quiet: Quiet = False,
) -> int:
    """Tune the learners of a suite on validation data, and write what is found as a suite.

    Each gets the same number of trials under the same budget, its settings in the
    suite first; what tells it apart from others of its class and kind of network
    stays. All trials of a learner take the same processor time: the number of
    updates is what settings can afford, by measured costs of an update. A trial's
    error is that of forecasts of the validation trajectories: the test data are
    never seen. How well settings carry over is told by the systems left out in
    turn. Finished trials are kept: the same command resumes, and more trials
    continue.
    """
    from bench.tuning.suite_file import suite_source

    if find_spec("optuna") is None:
        raise UserError("tuning needs the extra tune: pip install 'dynamics-bench[tune]'")
    at_least("--trials", trials, 1)
    conditions = Conditions(timeout=timeout)
    with interruptible():
        plan = planning.plan(request)
        name = re.sub(r"[^0-9A-Za-z_]", "_", plan.manifest["suite"])
        path = plan.store.root / "tuning" / f"tuned_{name}.py"
        try:
            with writing_to(plan.store.root):
                found = _search_all(plan, trials, conditions, quiet)
                write_in_one_stroke(path, suite_source(request, found, plan.manifest["command"]))
        except KeyboardInterrupt:
            print_to_stderr(f"interrupted: finished trials are kept; resume with\n  {plan.manifest['command']}")
            return INTERRUPTED
    if quiet:
        sys.stdout.write(f"{path}\n")
    else:
        _print_outcome(found, path)
    ended = [one.best is not None for one in found]
    return 0 if all(ended) else SOME_FAILED if any(ended) else NOTHING_MEASURED


def _search_all(plan: planning.Plan, trials: int, conditions: Conditions, quiet: bool) -> "list[Search]":
    """One search after the other, each trial announced as it ends. Raises UserError where there is nothing to tune."""
    from bench.cells.key import planned
    from bench.equal_time import priced_on
    from bench.tuning.prices import Prices
    from bench.tuning.search import tunable, tune_learner
    from systems import Sampling

    cells = [one.cell for one in plan.cells]
    for cell in cells:
        if not isinstance(cell.sampling, Sampling):
            raise UserError(f"suite {plan.manifest['suite']} is for classification: only forecasts can be tuned")
        if cell.sampling.samples <= cell.sampling.context:
            raise UserError(
                f"validation trajectories of {cell.system_label} have {cell.sampling.samples} samples, which leaves "
                f"nothing to forecast after a context of {cell.sampling.context}: raise Sampling.samples"
            )
    learners = tunable(cells)
    if not learners:
        names = ", ".join(dict.fromkeys(cell.learner_label for cell in cells if not cell.learner.reference))
        raise UserError(f"nothing to tune: no search space is declared for {names or 'reference rows'}")
    store, run_cells = Store(plan.store.root, "trials"), find_executor("local")
    conditions = replace(conditions, jobs=plan.jobs)

    def run(trial_cells: "Sequence[Cell]") -> "Outcome":
        return run_cells(planned(trial_cells, store.root), store, conditions)

    announce = (lambda tried: None) if quiet else partial(_announce, trials)
    first = priced_on(cells)
    price = None if first.budget.equal else Prices(first, store.root)  # the suite's own rule says how long
    return [tune_learner(learner, cells, trials, run, announce, price) for learner in learners]


def _announce(trials: int, tried: "Search") -> None:
    from systems.configuration import label

    last = tried.candidates[-1]
    error = "does not apply" if last.error is None else f"{last.error:.4g}"
    lowest = f", lowest {tried.best.error:.4g}" if tried.best else ""
    why = f" ({last.failure})" if last.failure else ""
    line = f"{label(tried.learner)}  trial {len(tried.candidates)} of {trials}: {error}{lowest}{why}"
    Console(highlight=False).print(line, markup=False, soft_wrap=True)


def _print_outcome(found: "Sequence[Search]", path: Path) -> None:
    """Print what was tried of each learner, the best settings other than its own, and how the suite is run."""
    from systems.configuration import short_labels

    console = Console(highlight=False)
    rows = []
    settings = []
    for name, one in zip(short_labels([each.learner for each in found]), found, strict=True):
        failed = sum(bool(candidate.failure) for candidate in one.candidates)
        errors = (one.candidates[0].error, one.best and one.best.error, one.best and one.error_elsewhere)
        numbers = (f"{error:.4g}" if error else "-" for error in errors)
        rows.append((name, f"{len(one.candidates)}", f"{failed}", *numbers))
        changed = ", ".join(f"{setting}={value}" for setting, value in one.found.items()) or "as they were"
        settings.append(f"{name}: {changed if one.best else 'none, all failed'}")
    heads = ("learner", "trials", "failed", "error", "tuned", "elsewhere")
    console.print("", table_of(heads, rows, right=range(1, 6)), "", *settings, "", sep="\n", markup=False)
    console.print("error: of validation data, in standard deviations (geometric mean)")
    console.print("elsewhere: on each system, with the settings that are best on the others")
    console.print(f"run it: python -m bench run --suite {path}", markup=False, soft_wrap=True)
