"""`python -m bench check`: hold a run to its baseline."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import CHECK_FAILED, NOTHING_MEASURED, UserError, print_to_stderr
from bench.planning import plan as planning
from bench.request import RUNS, AsJson, Conditions, Device, Out, Request
from bench.runner.interrupts import interruptible
from bench.runs import BASELINES, find_runs, report_on, run_missing
from results.store.atomic import write_in_one_stroke
from results.store.run import Run

if TYPE_CHECKING:
    from results.gate.baseline import Baseline
    from results.gate.regression import GateResult


def check(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The suite of a run, or its folder; or a timing.json.")],
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="If not given: baselines/ and the name of the suite.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="An inconclusive check fails too.")] = False,
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Run with more seeds, as many as the baseline has, while inconclusive.")
    ] = False,
    times: Annotated[
        bool, typer.Option("--times", help="Decide by times too: both runs are of this very job.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE.xml", help="Write a JUnit report too.")] = None,
    as_json: AsJson = False,
    out: Out = RUNS,
) -> int:
    """Hold a run to its baseline: is anything missing, newly failing, or worse beyond noise and tolerance?

    Or the timing.json of `time` to an earlier one, of the same hardware.
    Under GitHub Actions, annotations and a step summary are written too.
    """
    from results.gate.baseline import Baseline
    from results.gate.regression import check as check_run
    from results.timing.check import check_timings
    from results.timing.timings import is_timing, load

    if is_timing(run):
        if baseline is None:
            raise UserError(f"{run} holds timings: name those that they are held to with --baseline FILE.json")
        found = check_timings(load(baseline), load(Path(run)))
        accept = shlex.join(["cp", run, str(baseline)])
    else:
        folder = find_runs([run], out)[0]
        loaded = Run.load(folder)
        path = baseline or _find_baseline(f"{loaded.suite}.json")
        kept = Baseline.load(path)
        found = check_run(kept, loaded, times)
        while adaptive and found.comparable and found.verdict == "inconclusive" and _add_seeds(kept, folder):
            found = check_run(kept, Run.load(folder), times)
        accept = shlex.join(["python", "-m", "bench", "baseline", "save", "--from", str(folder), "--name", str(path)])
    _print(found, accept, junit, as_json)
    if not found.comparable:
        return NOTHING_MEASURED
    return CHECK_FAILED if found.verdict == "regressed" or (strict and found.verdict == "inconclusive") else 0


def _find_baseline(name: str) -> Path:
    """Where the baseline of this name is, which earlier versions kept in `results`, or else where one is expected."""
    ours, earlier = BASELINES / name, Path("results") / BASELINES / name
    return earlier if earlier.exists() and not ours.exists() else ours


def _print(found: "GateResult", accept: str, junit: Path | None, as_json: bool) -> None:
    """Print the check, and write what else is asked for; under GitHub Actions its annotations and summary too."""
    from results.gate import report

    sys.stdout.write((report.as_json(found, accept) if as_json else report.text(found)) + "\n")
    if junit:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_text(report.junit(found), encoding="utf-8")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print_to_stderr("\n".join(report.annotations(found)))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(report.markdown(found, accept))
    if found.comparable and found.verdict != "pass" and not as_json:
        sys.stdout.write(f"If the change is meant, accept it with\n  {accept}\n")


def _add_seeds(baseline: "Baseline", folder: Path) -> bool:
    """Run the suite with twice the seeds, as many as the baseline has at most; False where it has them already."""
    manifest = Run.load(folder).manifest
    have = len(manifest["seeds"])
    seeds = min(2 * have, len(baseline.content["seeds"]))
    if have >= seeds:
        return False
    asked = dict(manifest.get("asked", {"suite": manifest["suite"]}))
    asked["include"] = [Path(file) for file in asked.get("include", ())]
    request = Request(
        **asked,
        seeds=seeds,
        data_seed=manifest["data_seed"],
        budget=manifest["budget"],
        device=Device(manifest["environment"]["device"].partition(" ")[0]),  # without the model of a GPU
        out=folder.parent,
    )
    print_to_stderr(f"inconclusive with {have} seeds: running {manifest['suite']} with {seeds}")
    print_to_stderr(f"{run_again(request, folder)}")
    return True


def run_again(request: Request, folder: Path) -> Path | None:
    """Run the cells of a run anew, as of this request, and write the report, whose path is returned.

    Whatever stops it leaves the run as it was. Raises UserError where the request would be of other cells.
    """
    manifest = folder / "manifest.json"
    before = manifest.read_text(encoding="utf-8")
    with interruptible():
        plan = planning.plan(request)
        if plan.folder != folder or _cells(plan.manifest) != _cells(json.loads(before)):
            raise UserError(
                f"--adaptive cannot run {folder} again: suite {request.suite} has other systems or learners, or keeps "
                f"them in another folder; run it with --seeds {request.seeds}"
            )
        try:
            run_missing(plan, Conditions(jobs=plan.jobs))
            return report_on(plan, show=False)
        except BaseException as error:
            write_in_one_stroke(manifest, before)
            if isinstance(error, KeyboardInterrupt):
                print_to_stderr("interrupted: what is finished is kept, and the same command resumes")
            raise


def _cells(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(cell["system"], cell["learner"]) for cell in manifest["cells"]}
