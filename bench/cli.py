"""The command line: `python -m bench run | plan | list | report | doctor`.

Nothing heavy is imported before a command needs it, so that help, lists and mistakes are told at once.
"""

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import pairwise
from math import inf
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import typer

from bench.errors import UserError, at_least, nearest, one_line, unknown
from bench.options import (
    RUNS,
    AsJson,
    Budget,
    DataSeed,
    Device,
    FailFast,
    Jobs,
    Kind,
    Learners,
    Name,
    Out,
    Patients,
    Quiet,
    Retries,
    Runs,
    Seeds,
    SuiteName,
    Systems,
    Timeout,
    Where,
)

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.progress import Tally

CHECK_FAILED, MISTAKEN, SOME_FAILED, NOTHING_MEASURED, INTERRUPTED = 1, 2, 3, 4, 130  # exit codes
UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # click's, which newer versions of typer carry inside

EXAMPLES = """[bold]Examples[/]
  python -m bench run --suite chaos
  python -m bench run --suite chaos -s Lorenz -l "NeuralODE\\[lookahead=5]"
  python -m bench run --suite my_suite.py --seeds 5 --budget quick
  python -m bench list learners NeuralODE

[bold]Exit codes[/]
  0 all well             2 a mistake in the command or suite
  3 some cells failed    4 nothing measured    130 interrupted"""

app = typer.Typer(
    help="Compare learners of dynamical systems: recurrent networks, neural ODEs, residual networks and their like.",
    epilog=EXAMPLES,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog=EXAMPLES)
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
        report = _report(plan.folder, show=not (as_json or quiet))
    except KeyboardInterrupt:
        _tell(f"interrupted: what is finished is kept; resume with\n  {plan.manifest['command']}")
        return INTERRUPTED
    code = NOTHING_MEASURED if not tally.measured else SOME_FAILED if tally.failures else 0
    if as_json:
        sys.stdout.write(json.dumps(_summary(plan, tally, report, code), indent=2) + "\n")
    elif quiet:
        sys.stdout.write(f"{report}\n")
    else:
        _conclude(plan, tally, report, perf_counter() - begin)
    return code


@app.command()
def plan(
    suite: SuiteName = "",
    system: Systems = None,
    learner: Learners = None,
    seeds: Seeds = None,
    data_seed: DataSeed = None,
    budget: Budget = "standard",
    device: Where = Device.AUTO,
    out: Out = RUNS,
) -> None:
    """Show which cells of a suite are cached, and which a run would compute."""
    from rich.console import Console

    from bench import display
    from bench.plan import Request, prepare

    planned = prepare(Request(suite, system or (), learner or (), seeds, data_seed, budget, device, None, out))
    finished = {key: planned.store.finished(key) for key in planned.keys}
    console = Console(highlight=False)
    console.print(display.plan(planned.manifest, finished, console.width))
    ready, seeds_each = sum(finished.values()), len(planned.cells[0].seeds)
    console.print(f"{ready} cached, {len(finished) - ready} missing; {seeds_each} seeds in each cell; kept in {out}")


@app.command("list")
def list_(kind: Kind = "", name: Name = "") -> None:
    """Show what exists: suites, systems, learners and metrics."""
    from rich.console import Console

    from bench import catalogue, display

    entries: dict[str, Any] = {
        "suites": catalogue.suites(),
        "systems": catalogue.components("systems"),
        "learners": catalogue.components("learners"),
        "metrics": catalogue.metrics(),
    }
    if not name and kind not in entries:
        kind, name = next(((group, kind) for group, members in entries.items() if kind in members), (kind, ""))
    if kind and kind not in entries:
        raise unknown("kind of thing", kind, entries)
    if name and name not in entries[kind]:
        raise unknown(kind.removesuffix("s"), name, entries[kind])
    console = Console(highlight=False)
    if name:
        console.print(display.page(entries[kind][name]))
        return
    for one in [kind] if kind else entries:
        console.print(display.listing(one, entries[one].values()))


@app.command()
def report(runs: Runs = None, out: Out = RUNS) -> int:
    """Make reports anew from the finished cells."""
    from bench.plan import find_runs
    from results.run import BrokenRunError, Run

    for folder in find_runs(runs or (), out):
        try:
            if not Run.load(folder).finished:
                _tell(f"nothing to report: no cell of {folder} is finished")
                return NOTHING_MEASURED
        except BrokenRunError as error:
            raise UserError(str(error)) from error
        sys.stdout.write(f"{_report(folder)}\n")
    return 0


@app.command()
def doctor(systems: Patients = None, as_json: AsJson = False) -> int:
    """Certify systems: hold them to theory, published values and committed data.

    Ends with exit code 1 where a check fails.
    """
    from rich.console import Console

    from bench import catalogue, doctor

    known = catalogue.components("systems")
    for name in systems or ():
        if name not in known:
            raise unknown("system", name, known)
    console, found = Console(highlight=False), []
    for certificate in doctor.examine(list(dict.fromkeys(systems or doctor.certifiable(known)))):
        found.append(certificate)
        if not as_json:
            console.print(doctor.table(certificate))
    failed = [certificate.system for certificate in found if not certificate.passed]
    if as_json:
        sys.stdout.write(doctor.as_json(found) + "\n")
    else:
        verdict = f"failed: {', '.join(failed)}" if failed else "all passed"
        console.print(f"{len(found)} certified, {verdict}", markup=False)
    return CHECK_FAILED if failed else 0


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: what the user did wrong is told in one line, on the error stream."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    entry = Path(sys.argv[0]).name
    program = "python -m bench" if entry == "__main__.py" else entry
    try:
        code = app(given or ["--help"], prog_name=program, standalone_mode=False)
    except UserError as error:
        _tell(f"error: {error}")
        code = MISTAKEN
    except UsageError as error:
        _tell(f"error: {_usage(error, given)}")
        code = MISTAKEN
    sys.exit(code or 0)


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


def _report(folder: Path, show: bool = True) -> Path:
    from rich.console import Console

    from results.report import write_report

    with Console(quiet=not show).status("writing the report") if show else nullcontext():
        return write_report(folder)


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


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _usage(error: Any, given: Sequence[str]) -> str:
    """What typer says of a wrong command, on one line, with the value, the nearest option and where help is found."""
    message = one_line(error.format_message()).rstrip(".")
    if error.ctx is None:
        return message
    names = [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts]
    if message.startswith("No such option"):
        close = nearest(error.option_name, names)
        message = f"no such option {error.option_name}" + (f": did you mean {close}?" if close else "")
    elif parameter := getattr(error, "param", None):
        values = [value for name, value in pairwise(given) if name in parameter.opts]
        values += [
            value for name, _, value in (text.partition("=") for text in given) if value and name in parameter.opts
        ]
        received = f", but got {values[-1]!r}" if values else ""
        message = f"{parameter.opts[0]}: {error.message.rstrip('.')}{received}"
    return f"{message[:1].lower()}{message[1:]} (see {error.ctx.command_path} --help)"
