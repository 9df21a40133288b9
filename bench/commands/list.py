"""`python -m bench list`: what exists."""

from typing import Annotated, Any

import typer
from rich.console import Console

from bench.catalogue.components import components, metrics
from bench.catalogue.suites import suites
from bench.display import tables as display
from bench.doctor import examination
from bench.errors import CHECK_FAILED, UserError, unknown


def list_(
    kind: Annotated[
        str, typer.Argument(metavar="[suites|systems|learners|metrics]", help="Only things of this kind.")
    ] = "",
    name: Annotated[str, typer.Argument(help="All that is known of this one.")] = "",
    certify: Annotated[
        bool, typer.Option("--certify", help="Certify the systems, as `doctor --systems` does.")
    ] = False,
) -> int:
    """Show what exists: suites, systems, learners and metrics."""
    systems = components("systems")
    entries: dict[str, Any] = {
        "suites": suites(),
        "systems": systems,
        "learners": components("learners"),
        "metrics": metrics(),
    }
    if not name and kind not in entries:
        kind, name = next(((group, kind) for group, members in entries.items() if kind in members), (kind, ""))
    if kind and kind not in entries:
        raise unknown("kind of thing", kind, entries)
    if name and name not in entries[kind]:
        raise unknown(kind.removesuffix("s"), name, entries[kind])
    if certify:
        if kind != "systems":
            raise UserError("--certify is for systems: python -m bench list systems --certify")
        return 0 if examination.examine([name] if name else examination.certifiable(systems)) else CHECK_FAILED
    console = Console(highlight=False)
    if name:
        console.print(display.page(entries[kind][name]))
    else:
        for one in [kind] if kind else entries:
            console.print(display.listing(one, entries[one].values()))
    return 0
