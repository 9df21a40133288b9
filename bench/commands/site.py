"""`python -m bench site`: several runs as a browsable leaderboard."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

from bench.catalogue.suites import find_suite
from bench.errors import MISTAKEN, NOTHING_MEASURED, UserError, print_to_stderr
from bench.request import RUNS, RunNames, how_option
from bench.runs import find_runs, load_run, spinner
from results.store.run import Run, StoredCell, no_garbage_collection

Folder = Annotated[Path, how_option("--out", metavar="FOLDER", help="Where the pages are written.")]


def site(runs: RunNames = None, out: Folder = Path("site")) -> int:
    """Join runs into a leaderboard to browse: pages that open from the disk or from any web server.

    Each number leads to a page of its cell, with the configuration, the command that computes it and all seeds.
    """
    from results.formatting import slug
    from results.report.site import write_site

    found: dict[str, Run] = {}
    code = 0
    for folder in find_runs(runs or (), RUNS):
        run = load_run(folder)
        if run is None:
            code = MISTAKEN
            continue
        if run.suite in found:
            raise UserError(
                f"{folder} and {found[run.suite].folder} are runs of one suite, {run.suite}: "
                "join their stores with `python -m bench merge`, and name one run"
            )
        if not run.finished:
            print_to_stderr(f"left out: {run.without_cells}")
            continue
        if (out / slug(run.suite) / "manifest.json").exists():
            raise UserError(
                f"{out / slug(run.suite)} is the folder of a run, whose report the pages of {run.suite} would take the "
                "place of: name another folder with --out, where the pages are written"
            )
        found[run.suite] = run
    if not found:
        return code or NOTHING_MEASURED
    with spinner("writing the pages", stderr=True), no_garbage_collection():
        sys.stdout.write(f"{write_site(list(found.values()), out, reproduce)}\n")
    return code


def reproduce(run: Run, cell: StoredCell) -> str:
    """The command that computes a cell of a run, beside the reference rows of its suite, or the whole of a sweep.

    Files are called by their names alone, since others have them elsewhere. Of a suite that was made in Python no
    command is known; what it was made by stands in its place.
    """
    manifest = run.manifest
    asked = manifest.get("asked", {"suite": run.suite})
    suite, sweeps = asked["suite"], asked.get("sweeps")
    if not suite.endswith(".py"):
        try:
            find_suite(suite)
        except UserError:
            return f"# suite {suite} was made in Python, by: {manifest.get('command') or 'a program that is not known'}"
    configurations = {one["label"]: one.get("configuration", one["label"]) for one in manifest["learners"]}
    options = {
        "--suite": [Path(suite).name],
        "-s": asked["systems"] if sweeps else [cell.system],
        "-l": asked["learners"] if sweeps else [configurations[cell.learner]],
        "--sweep": sweeps or (),
        "--include": [Path(file).name for file in asked.get("include", ())],
        "--metric": asked.get("metrics", ()),
        "--seeds": [str(len(manifest["seeds"]))],
        "--data-seed": [str(manifest["data_seed"])] if "data_seed" in manifest else (),
        "--budget": [run.budget],
    }
    words = [word for option, values in options.items() for value in values for word in (option, value)]
    return shlex.join(["python", "-m", "bench", "run", *words])
