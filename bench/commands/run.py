"""`python -m bench run`: compute what is missing of a suite, and report all of it."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Annotated

from bench.errors import UserError
from bench.planning import plan as planning
from bench.request import AsJson, Conditions, Open, Quiet, Request, shown_option, with_options
from bench.running import Tracker, run_and_report


@with_options()
def run(
    request: Request,
    conditions: Conditions,
    track: Annotated[Tracker | None, shown_option(help="Write curves and metrics for it; needs its extra.")] = None,
    film: Annotated[
        bool, shown_option("--film", help="Film how the first seed of each cell learns; trains it anew.")
    ] = False,
    shown: Open = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run what is missing of a suite, and report all of it.

    Finished cells are kept and never run again: the same command resumes.
    A narrowed run (-s, -l, --seeds) replaces the suite's report by one of the
    selection; the cells of earlier runs stay, and a wider run shows them again.
    """
    if track and find_spec(track.value) is None:
        raise UserError(f"--track {track.value} needs an extra: pip install 'dynamics-bench[{track.value}]'")
    request = replace(request, rerun=conditions.rerun, elsewhere=conditions.executor.startswith("dask://"))
    return run_and_report(lambda: planning.plan(request), conditions, track, film, as_json, quiet, shown)
