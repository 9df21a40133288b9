"""`python -m bench list`: what exists."""

from typing import Any

from bench.commands.doctor import doctor
from bench.errors import UserError, unknown
from bench.options import Certify, Kind, Name


def list_(kind: Kind = "", name: Name = "", certify: Certify = False) -> int | None:
    """Show what exists: suites, systems, learners and metrics."""
    from rich.console import Console

    from bench.catalogue import components as catalogue
    from bench.display import tables as display

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
    if certify:
        if kind != "systems":
            raise UserError("--certify is for systems: python -m bench list systems --certify")
        return doctor([name], None) if name else doctor(None, half=True)
    console = Console(highlight=False)
    if name:
        console.print(display.page(entries[kind][name]))
        return None
    for one in [kind] if kind else entries:
        console.print(display.listing(one, entries[one].values()))
    return None
