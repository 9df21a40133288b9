"""`python -m bench published`: our learners on other people's tables, each figure beside the published one."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import NOTHING_MEASURED, SOME_FAILED, UserError, at_least, print_to_stderr
from bench.machine.environment import default_jobs, environment
from bench.request import Quiet, how_option, what_option
from results.store.atomic import write_in_one_stroke

if TYPE_CHECKING:
    from bench.published.table import MeasuredRow


class Name(StrEnum):
    """A table, by the module that makes it; in the order of the page."""

    POLYNOMIALS = "polynomials"
    CONTEXTS = "contexts"
    ATTRACTORS = "attractors"
    RING = "ring"
    BASINS = "basins"
    EXPONENTS = "exponents"
    DYSTS = "dysts"
    COMMON_TASK = "common_task"
    TASK_FILES = "task_files"
    DEPTH = "depth"
    DEPTH_EPOCHS = "depth_epochs"


def published(
    tables: Annotated[list[Name] | None, typer.Argument(metavar="TABLE", help="Only this; by default all.")] = None,
    files: Annotated[
        Path, what_option(metavar="FOLDER", help="With ctf_lorenz/, dynamix/ and MNIST/raw/, which five tables read.")
    ] = Path("data"),
    jobs: Annotated[
        int | None, how_option("--jobs", "-j", metavar="N", help="Rows at a time; if not given, one a core.")
    ] = None,
    out: Annotated[
        Path, how_option(metavar="FILE.md", help="The page, of which other tables are kept as they are.")
    ] = Path("published.md"),
    quiet: Quiet = False,
) -> int:
    """Measure what others have published: polynomial maps, DynaMix, AL-RNNs, a ring, wells, exponents, dysts, images.

    Writes a page of tables, our figures beside the published ones. A row that fails costs no other.
    """
    at_least("--jobs", jobs, 1)
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"--out is a file in a folder that is there, but is {out}: name one, as published.md")
    from bench.published.measuring import measure_tables, table_named
    from bench.published.page import page, section

    def notify(name: str, outcome: "MeasuredRow") -> None:
        if not quiet:
            said = ", ".join(map(str, outcome.figures)) or outcome.reason
            sys.stdout.write(f"{name}: {' '.join(outcome.names)}: {said}\n")
            sys.stdout.flush()

    known = [table_named(name) for name in Name]
    machine = environment("cpu", 1)
    before = out.read_text() if out.exists() else ""
    made: dict[str, str] = {}
    rows: list[MeasuredRow] = []
    for name, outcomes in measure_tables(tables or list(Name), files, jobs or default_jobs(), notify):
        rows += outcomes
        if any(one.figures for one in outcomes):
            made[table_named(name).title] = section(table_named(name), outcomes, machine)
            write_in_one_stroke(out, page(known, made, before))
    missing = sum(not one.figures for one in rows)
    if missing == len(rows):
        print_to_stderr("nothing measured: " + "; ".join(dict.fromkeys(one.reason for one in rows)))
        return NOTHING_MEASURED
    sys.stdout.write(f"{out}\n" if quiet else f"{out}: {len(rows) - missing} of {len(rows)} rows measured\n")
    return SOME_FAILED if any(one.failed for one in rows) else 0
