"""A plan carried through: its cells run under a display of progress, its report and exports written, its end told."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from enum import StrEnum
from functools import partial
from importlib import import_module
from multiprocessing import get_all_start_methods
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from bench.display import tables as display
from bench.display.progress import RESULTS, Progress, live
from bench.errors import INTERRUPTED, NOTHING_MEASURED, SOME_FAILED, UserError, print_to_stderr
from bench.machine.environment import DRIVER, command
from bench.planning import plan as planning
from bench.request import Cache, Conditions
from bench.runner.interrupts import interruptible
from bench.runs import open_in_browser, report_on, run_missing
from results.store.run import Run


class Tracker(StrEnum):
    """What else a run is written for."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"
    WANDB = "wandb"


def run_and_report(
    make_plan: Callable[[], planning.Plan],
    conditions: Conditions,
    track: Tracker | None = None,
    film: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    shown: bool = False,
) -> int:
    """Run what is missing of a plan, report all of it, in a browser if it is to be `shown`; return the exit code."""
    with interruptible():
        try:
            with _preparing(conditions):
                plan = make_plan()
            conditions = replace(conditions, jobs=plan.jobs)
            begin = perf_counter()
            console = Console(stderr=as_json, highlight=False)
            is_live = console.file.isatty() and not (console.is_jupyter or console.is_dumb_terminal or quiet)
            announce = partial(console.print, markup=False, soft_wrap=True)
            progress = Progress(plan.share_of_manifest, plan.jobs, None if quiet else announce, is_live)
            with live(progress, console) if is_live else nullcontext():
                run_missing(plan, conditions, progress.notify)
            report = report_on(plan, show=not (as_json or quiet))
            for line in _exports(plan, conditions, track, film):
                sys.stdout.write("" if as_json or quiet else f"{line}\n")
        except KeyboardInterrupt:
            print_to_stderr(f"interrupted: what is finished is kept; resume with\n  {command()}")
            return INTERRUPTED
    code = NOTHING_MEASURED if progress.total and not progress.measured else SOME_FAILED if progress.failures else 0
    if as_json:
        sys.stdout.write(json.dumps(_as_json(plan, progress, report, code), indent=2) + "\n")
    elif quiet:
        sys.stdout.write(f"{report}\n" if report else "")
    else:
        _print_outcome(plan, progress, report, perf_counter() - begin)
    if shown and report:
        open_in_browser(report)
    if code == NOTHING_MEASURED:
        print_to_stderr("nothing measured: no learner that was asked for gave a number")
    return code


@contextmanager
def _preparing(conditions: Conditions) -> Iterator[None]:
    """Meanwhile, processes for cells are prepared: both take seconds of imports. Where planning fails, none is left."""
    is_here = conditions.executor == "local" and conditions.cache != Cache.ONLY
    if not is_here or DRIVER.exists() or "forkserver" not in get_all_start_methods():
        yield  # with a GPU, what is to be imported depends on the plan
        return
    from bench.runner.processes import end_server, start_server  # which takes a system that has fork servers

    is_new = start_server(conditions.threads or 1)
    try:
        yield
    except BaseException:
        if is_new:
            end_server()
        raise


def _exports(plan: planning.Plan, conditions: Conditions, track: Tracker | None, film: bool) -> Iterator[str]:
    """Write event files and films where they are asked for, and say where each is. Raises UserError."""
    try:
        if track:
            tracker = import_module(f"bench.exports.trackers.{track.value}")
            yield f"to look at: {tracker.write(Run.load(plan.folder))}"
        if film:
            from bench.exports import films

            for title, made in films.make(plan, conditions):
                yield f"no film of {title}: {made}" if isinstance(made, str) else f"{title}: {made[-1]}"
    except (OSError, RuntimeError) as error:
        raise UserError(f"{error}; the report is written, and the same command resumes") from error


def _print_outcome(plan: planning.Plan, progress: Progress, report: Path | None, seconds: float) -> None:
    """Print the leaderboard, what failed or gave no number at all, and where the report lies."""
    console = Console(highlight=False)
    console.print(progress.leaderboard, "")
    cells = plan.store.root / "cells"
    if progress.failures:
        console.print(display.failures(progress.failures, cells), "", soft_wrap=True)
    if not progress.measured and (silent := [one for one in progress.unmeasured if one not in progress.failures]):
        console.print(display.failures(silent, cells, "of the cells gave no number"), "", soft_wrap=True)
    left = progress.total - progress.done - progress.reused
    counts = f"{progress.total} cells: {progress.done} done, {progress.reused} cached" + (
        f", {left} not run" if left else ""
    )
    ended = "".join(f"; {words} in {progress.endings[how]}" for how, words in RESULTS.items() if progress.endings[how])
    console.print(f"{counts}, in {display.duration(seconds)}{ended}")
    if report:
        console.print(f"report: {report}", markup=False, soft_wrap=True)
        return
    shard = f"shard {plan.shard.part} of {plan.shard.parts}"
    share = plan.share
    if lacking := sum(not plan.store.complete(one.key) for one in share):
        told = f"{shard} is not done: {lacking} of its {len(share)} cells are not finished"
    else:
        suite = plan.manifest["suite"]
        out = str(plan.store.root)
        told = f"{shard} is done; when all are: {shlex.join(['python', '-m', 'bench', 'report', suite, '--out', out])}"
    console.print(told, markup=False, soft_wrap=True)


def _as_json(plan: planning.Plan, progress: Progress, report: Path | None, code: int) -> dict[str, Any]:
    """What `--json` prints."""
    failures = [
        {
            **{name: getattr(record, name) for name in ("system", "learner", "seed", "status", "reason")},
            "log": str(plan.store.path(key) / "log.txt"),
        }
        for key, record in progress.failures
    ]
    return {
        "suite": plan.manifest["suite"],
        "folder": str(plan.folder),
        "report": str(report) if report else None,
        "cells": {"total": progress.total, "done": progress.done, "cached": progress.reused, "failed": len(failures)}
        | {how: progress.endings[how] for how in RESULTS},
        "failures": failures,
        "leaderboard": progress.leaderboard.rows(),
        "exit_code": code,
    }
