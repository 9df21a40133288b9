"""`python -m bench clean`: remove what a store keeps and no run can use again."""

import shutil
import sys
from typing import Annotated

import typer

from bench.errors import UserError
from bench.planning.leftovers import by_reason, leftovers
from bench.request import RUNS, Out
from results import Store
from results.store.lease import leased


def clean(
    out: Out = RUNS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove what a store keeps and no run can use again.

    That is what other code has computed than there is now, what newer cells of
    the same configuration have superseded, and what processes that were killed
    have left. Cells that a report shows stay.
    """
    store = Store(out)
    store.check_version()
    if not (out / "cells").is_dir():
        raise UserError(f"there is no store in {out}: name a folder that was given to --out")
    if busy := leased(store):
        raise UserError(f"a run is at work in {out}, on {len(busy)} cells: clean when it is done")
    freed = 0
    for kind, why, members in by_reason(leftovers(out)):
        size = sum(one.bytes for one in members)
        freed += size
        sys.stdout.write(f"{len(members)} {kind}, {_megabytes(size)} ({why})\n")
        for one in members if not dry_run else ():
            if one.path.is_dir():
                shutil.rmtree(one.path)
            else:
                one.path.unlink()
    sys.stdout.write(f"{'would free' if dry_run else 'freed'} {_megabytes(freed)}\n")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
