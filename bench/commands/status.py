"""`python -m bench status`: what is done of a run, what runs at this moment, what failed, what is missing."""

import json
import sys

from rich.console import Console

from bench.display import tables as display
from bench.errors import MISTAKEN
from bench.planning.status import RunStatus
from bench.request import RUNS, AsJson, Out, RunNames
from bench.runs import find_runs, load_run


def status(runs: RunNames = None, out: Out = RUNS, as_json: AsJson = False) -> int:
    """Show what is done of each run, what is running, what failed and what is missing."""
    loaded = [load_run(folder) for folder in find_runs(runs or (), out)]
    found = [RunStatus.of(run) for run in loaded if run]
    code = MISTAKEN if None in loaded else 0
    if as_json:
        sys.stdout.write(json.dumps([overview.as_json() for overview in found], indent=2) + "\n")
        return code
    console = Console(highlight=False)
    for overview in found:
        console.print(display.run_status(overview), soft_wrap=True)
        if overview.failures:
            failures = [display.FailedCell(key, record) for key, record in overview.failures.items()]
            console.print(display.failures(failures, overview.run.store.root / "cells"), soft_wrap=True)
    return code
