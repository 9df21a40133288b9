"""`python -m bench check`: hold a run to its baseline."""

import os
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.baseline import FOLDER, accepting
from bench.errors import CHECK_FAILED, NOTHING_MEASURED, UserError, tell
from bench.options import RUNS, Adaptive, AsJson, BaselineFile, CheckedRun, JUnit, Out, Strict, Times

if TYPE_CHECKING:
    from results.gate.baseline import Baseline
    from results.gate.regression import Check


def check(
    run: CheckedRun,
    baseline: BaselineFile = None,
    strict: Strict = False,
    adaptive: Adaptive = False,
    times: Times = False,
    junit: JUnit = None,
    as_json: AsJson = False,
    out: Out = RUNS,
) -> int:
    """Hold a run to its baseline: is anything missing, newly failing, or worse beyond noise and tolerance?

    Or the timing.json of `time` to an earlier one, of the same hardware.
    Under GitHub Actions, annotations and a step summary are written too.
    """
    from results.timing.timings import is_timing

    if is_timing(run):
        found, accept = _timings_checked(run, baseline)
    else:
        found, accept = _run_checked(run, baseline, adaptive, times, out)
    _told(found, accept, junit, as_json)
    if not found.comparable:
        return NOTHING_MEASURED
    return CHECK_FAILED if found.verdict == "regressed" or (strict and found.verdict == "inconclusive") else 0


def _run_checked(run: str, baseline: Path | None, adaptive: bool, times: bool, out: Path) -> tuple["Check", str]:
    """The check of a run, with more seeds where that is asked for and needed, and the command that accepts it."""
    from bench.runs import find_runs
    from results.gate.baseline import Baseline, BrokenBaselineError

    folder = find_runs([run], out)[0]
    path = baseline or FOLDER / f"{folder.name}.json"
    try:
        kept = Baseline.load(path)
    except BrokenBaselineError as error:
        raise UserError(str(error)) from error
    found = _checked(kept, folder, times)
    while adaptive and found.comparable and found.verdict == "inconclusive" and _add_seeds(kept, folder):
        found = _checked(kept, folder, times)
    return found, accepting(folder, path)


def _timings_checked(after: str, before: Path | None) -> tuple["Check", str]:
    """The check of a timing.json beside an earlier one, and the command that accepts it."""
    from results.timing.check import check_timings
    from results.timing.timings import BrokenTimingError, load

    if before is None:
        raise UserError(f"{after} holds timings: name those that they are held to with --baseline FILE.json")
    try:
        return check_timings(load(before), load(Path(after))), shlex.join(["cp", after, str(before)])
    except BrokenTimingError as error:
        raise UserError(str(error)) from error


def _told(found: "Check", accept: str, junit: Path | None, as_json: bool) -> None:
    """Print the check, and write what else is asked for; under GitHub Actions its annotations and summary too."""
    from results.gate import report as check_report

    sys.stdout.write((check_report.as_json(found, accept) if as_json else check_report.text(found)) + "\n")
    if junit:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_text(check_report.junit(found), encoding="utf-8")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        tell("\n".join(check_report.annotations(found)))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(check_report.markdown(found, accept))
    if found.comparable and found.verdict != "pass" and not as_json:
        sys.stdout.write(f"If the change is meant, accept it with\n  {accept}\n")


def _checked(baseline: "Baseline", folder: Path, times: bool) -> "Check":
    from results.gate.regression import check
    from results.store.run import BrokenRunError, Run

    try:
        return check(baseline, Run.load(folder), times)
    except (BrokenRunError, ValueError) as error:
        raise UserError(str(error)) from error


def _add_seeds(baseline: "Baseline", folder: Path) -> bool:
    """Run the suite with twice the seeds, as many as the baseline has at most; False where it has them already."""
    from bench.commands.run import run
    from results.store.run import Run

    manifest = Run.load(folder).manifest
    have, most = len(manifest["seeds"]), len(baseline.content["seeds"])
    if have >= most:
        return False
    seeds = min(2 * have, most)
    tell(f"inconclusive with {have} seeds: running {manifest['suite']} with {seeds}")
    with redirect_stdout(sys.stderr):
        run(
            suite=manifest["suite"],
            system=manifest["systems"],
            learner=[learner["label"] for learner in manifest["learners"]],
            seeds=seeds,
            data_seed=manifest["data_seed"],
            budget=manifest["budget"],
            out=folder.parent,
            quiet=True,
        )
    return True
