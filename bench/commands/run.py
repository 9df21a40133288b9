"""`python -m bench run`: compute what is missing of a suite, and report all of it."""

import json
import sys
from contextlib import nullcontext
from math import inf
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.commands.report import written
from bench.errors import INTERRUPTED, NOTHING_MEASURED, SOME_FAILED, UserError, at_least, tell
from bench.options import (
    RUNS,
    AsJson,
    Budget,
    DataSeed,
    Device,
    FailFast,
    Jobs,
    Learners,
    Out,
    Quiet,
    Retries,
    Seeds,
    SuiteName,
    Systems,
    Timeout,
    Where,
)

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.progress import Tally


def run(
    suite: SuiteName = "",
    system: Systems = None,
    learner: Learners = None,
    seeds: Seeds = None,
    data_seed: DataSeed = None,
    budget: Budget = "standard",
    device: Where = Device.AUTO,
    jobs: Jobs = None,
    timeout: Timeout = None,
    retries: Retries = 0,
    out: Out = RUNS,
    fail_fast: FailFast = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run what is missing of a suite, and report all of it.

    Finished cells are kept and never run again: the same command resumes.
    A narrowed run (-s, -l, --seeds) replaces the suite's report by one of the
    selection; the cells of earlier runs stay, and a wider run shows them again.
    """
    from bench.plan import Request, prepare

    at_least("--retries", retries, 0)
    if timeout is not None and not 0 < timeout < inf:
        raise UserError(f"--timeout must be a positive number of seconds, but is {timeout:g}")
    plan = prepare(Request(suite, system or (), learner or (), seeds, data_seed, budget, device, jobs, out))
    options = {"timeout": timeout, "retries": retries, "fail_fast": fail_fast}
    begin = perf_counter()
    try:
        tally = _execute(plan, options, as_json, quiet)
        report = written(plan.folder, show=not (as_json or quiet))
    except KeyboardInterrupt:
        tell(f"interrupted: what is finished is kept; resume with\n  {plan.manifest['command']}")
        return INTERRUPTED
    code = NOTHING_MEASURED if not tally.measured else SOME_FAILED if tally.failures else 0
    if as_json:
        sys.stdout.write(json.dumps(_summary(plan, tally, report, code), indent=2) + "\n")
    elif quiet:
        sys.stdout.write(f"{report}\n")
    else:
        _conclude(plan, tally, report, perf_counter() - begin)
    return code


def _execute(plan: "Plan", options: dict[str, Any], as_json: bool, quiet: bool) -> "Tally":
    """Run the cells under the display that suits the user and his terminal."""
    from rich.console import Console

    from bench import runner
    from bench.progress import Tally, live, silent

    console = Console(stderr=as_json, highlight=False)
    is_live = console.file.isatty() and not console.is_dumb_terminal and not quiet
    announce = silent if quiet or is_live else lambda line: console.print(line, markup=False, soft_wrap=True)
    tally = Tally(plan.manifest, plan.jobs, announce)
    try:
        plan.write_manifest()
        with live(tally, console) if is_live else nullcontext():
            runner.run(plan.cells, plan.store, jobs=plan.jobs, observer=tally, **options)
    except OSError as error:
        kept = "what is finished is kept, and the same command resumes"
        raise UserError(f"cannot write to {plan.store.root}: {error}; {kept}") from error
    return tally


def _conclude(plan: "Plan", tally: "Tally", report: Path, seconds: float) -> None:
    """Print the leaderboard, what failed, and where the report lies."""
    from rich.console import Console

    from bench import display
    from bench.progress import duration

    console = Console(highlight=False)
    console.print(tally.leaderboard, "")
    if tally.failures:
        console.print(display.failures(tally.failures, plan.store.root / "cells"), "", soft_wrap=True)
    left = tally.total - tally.done - tally.reused
    counts = f"{tally.total} cells: {tally.done} done, {tally.reused} cached" + (f", {left} not run" if left else "")
    console.print(f"{counts}, in {duration(seconds)}")
    console.print(f"report: {report}", markup=False, soft_wrap=True)


def _summary(plan: "Plan", tally: "Tally", report: Path, code: int) -> dict[str, Any]:
    """What `--json` prints."""
    failures = [
        {
            "system": record.system,
            "learner": record.learner,
            "seed": record.seed,
            "status": record.status,
            "reason": record.reason,
            "log": str(plan.store.path(key) / "log.txt"),
        }
        for key, record in tally.failures
    ]
    return {
        "suite": plan.manifest["suite"],
        "folder": str(plan.folder),
        "report": str(report),
        "cells": {"total": tally.total, "done": tally.done, "cached": tally.reused, "failed": len(failures)},
        "failures": failures,
        "leaderboard": tally.leaderboard.rows(),
        "exit_code": code,
    }
