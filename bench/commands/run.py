"""`python -m bench run`: compute what is missing of a suite, and report all of it."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.commands.report import written
from bench.errors import INTERRUPTED, NOTHING_MEASURED, SOME_FAILED, UserError, at_least, positive, tell
from bench.options import (
    RUNS,
    AsJson,
    Budget,
    Cache,
    CacheUse,
    DataSeed,
    Device,
    Executor,
    FailFast,
    Film,
    Include,
    Jobs,
    Learners,
    Memory,
    MoreMetrics,
    Out,
    Quiet,
    Rerun,
    Retries,
    Seeds,
    ShardOf,
    SuiteName,
    Systems,
    Timeout,
    Track,
    Where,
)
from bench.runner.interrupts import interruptible

if TYPE_CHECKING:
    from bench.display.progress import Tally
    from bench.planning.plan import Plan


def run(
    suite: SuiteName = "",
    system: Systems = None,
    learner: Learners = None,
    include: Include = None,
    metric: MoreMetrics = None,
    seeds: Seeds = None,
    data_seed: DataSeed = None,
    budget: Budget = "standard",
    device: Where = Device.AUTO,
    jobs: Jobs = None,
    timeout: Timeout = None,
    memory: Memory = None,
    retries: Retries = 0,
    rerun: Rerun = "",
    cache: CacheUse = Cache.DEFAULT,
    shard: ShardOf = "",
    executor: Executor = "local",
    out: Out = RUNS,
    fail_fast: FailFast = False,
    track: Track = None,
    film: Film = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run what is missing of a suite, and report all of it.

    Finished cells are kept and never run again: the same command resumes.
    A narrowed run (-s, -l, --seeds) replaces the suite's report by one of the
    selection; the cells of earlier runs stay, and a wider run shows them again.
    """
    from bench.planning.plan import prepare
    from bench.request import Request

    at_least("--retries", retries, 0)
    positive("--timeout", timeout, "seconds")
    positive("--memory", memory, "GiB")
    if track and find_spec(track.value) is None:
        raise UserError(f"--track {track.value} needs the extra track: pip install 'dynamics-bench[track]'")
    request = Request(
        suite,
        systems=system or (),
        learners=learner or (),
        include=include or (),
        metrics=metric or (),
        seeds=seeds,
        data_seed=data_seed,
        budget=budget,
        device=device,
        jobs=jobs,
        rerun=rerun,
        shard=shard,
        out=out,
        elsewhere=executor.startswith("dask://"),
    )
    options = {"timeout": timeout, "retries": retries, "fail_fast": fail_fast, "rerun": rerun, "cache": cache.value}
    options["memory"] = None if memory is None else int(memory * 2**30)
    with interruptible():
        try:
            plan = prepare(request)
            begin = perf_counter()
            tally = _execute(plan, executor, options, as_json, quiet)
            report = _report(plan, show=not (as_json or quiet))
            kept = {name: options[name] for name in ("timeout", "retries", "memory")}
            for line in _beside(plan, track, film, kept):
                sys.stdout.write("" if as_json or quiet else f"{line}\n")
        except KeyboardInterrupt:
            from bench.machine.environment import command

            tell(f"interrupted: what is finished is kept; resume with\n  {command()}")
            return INTERRUPTED
    code = NOTHING_MEASURED if not tally.measured else SOME_FAILED if tally.failures else 0
    if as_json:
        sys.stdout.write(json.dumps(_summary(plan, tally, report, code), indent=2) + "\n")
    elif quiet:
        sys.stdout.write(f"{report}\n" if report else "")
    else:
        _conclude(plan, tally, report, perf_counter() - begin)
    return code


def _execute(plan: "Plan", executor: str, options: dict[str, Any], as_json: bool, quiet: bool) -> "Tally":
    """Run the cells under the display that suits the user and his terminal."""
    from rich.console import Console

    from bench.display.progress import Tally, live, silent

    console = Console(stderr=as_json, highlight=False)
    is_live = console.file.isatty() and not console.is_dumb_terminal and not quiet
    announce = silent if quiet else lambda line: console.print(line, markup=False, soft_wrap=True)
    tally = Tally(plan.share_of_manifest, plan.jobs, announce, is_live)
    try:
        plan.write_manifest()
        with live(tally, console) if is_live else nullcontext():
            _runner(executor)(plan.share, plan.store, jobs=plan.jobs, observer=tally, **options)
    except OSError as error:
        raise _unwritable(plan, error) from error
    return tally


def _unwritable(plan: "Plan", error: OSError) -> UserError:
    kept = "what is finished is kept, and the same command resumes"
    return UserError(f"cannot write to {plan.store.root}: {error}; {kept}")


def _runner(executor: str) -> Callable[..., Any]:
    """What runs cells. Raises UserError where an executor does not exist, or cannot be reached."""
    if executor == "local":
        from bench.runner import run as runner

        return runner.run
    if executor != "dask" and not executor.startswith("dask://"):
        raise UserError(f"--executor is local, dask, dask://HOST:PORT or dask://FILE.json, but is {executor!r}")
    try:
        from bench.runner import cluster
    except ImportError as error:
        raise UserError(f"--executor {executor} needs the extra dask: pip install 'dynamics-bench[dask]'") from error
    return partial(cluster.run, executor.removeprefix("dask").removeprefix("://"))


def _report(plan: "Plan", show: bool) -> Path | None:
    """The report of a run; of one of several shards, only where it was the last to end."""
    if plan.shard.parts > 1 and not all(plan.store.complete(key) for key in plan.keys):
        return None
    from results.store.lease import alone
    from results.store.run import Run

    leases = plan.store.root / "leases"
    try:
        leases.mkdir(exist_ok=True)
        with alone(leases / f"report-{plan.manifest['suite']}.lock"):  # of several runs, one writes at a time
            return written(Run.load(plan.folder), show)
    except OSError as error:
        raise _unwritable(plan, error) from error


def _beside(plan: "Plan", track: Track, film: bool, conditions: dict[str, Any]) -> Iterator[str]:
    """Write what was asked for beside the report, and say where it is. Raises UserError where that cannot be done."""
    try:
        if track:
            from bench.exports import tracking
            from results.store.run import Run

            yield f"events: {tracking.write(Run.load(plan.folder))}"
        if film:
            from bench.exports import films

            for title, made in films.make(plan, **conditions):
                yield f"no film of {title}: {made}" if isinstance(made, str) else f"{title}: {made[-1]}"
    except (OSError, RuntimeError) as error:
        raise UserError(f"{error}; the report is written, and the same command resumes") from error


def _conclude(plan: "Plan", tally: "Tally", report: Path | None, seconds: float) -> None:
    """Print the leaderboard, what failed, and where the report lies."""
    from rich.console import Console

    from bench.display import tables as display
    from bench.display.tables import duration

    console = Console(highlight=False)
    console.print(tally.leaderboard, "")
    if tally.failures:
        console.print(display.failures(tally.failures, plan.store.root / "cells"), "", soft_wrap=True)
    left = tally.total - tally.done - tally.reused
    counts = f"{tally.total} cells: {tally.done} done, {tally.reused} cached" + (f", {left} not run" if left else "")
    console.print(f"{counts}, in {duration(seconds)}")
    if report:
        console.print(f"report: {report}", markup=False, soft_wrap=True)
    else:
        console.print(f"shard {plan.shard.part} of {plan.shard.parts} is done; when all are: python -m bench report")


def _summary(plan: "Plan", tally: "Tally", report: Path | None, code: int) -> dict[str, Any]:
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
        "report": str(report) if report else None,
        "cells": {"total": tally.total, "done": tally.done, "cached": tally.reused, "failed": len(failures)},
        "failures": failures,
        "leaderboard": tally.leaderboard.rows(),
        "exit_code": code,
    }
