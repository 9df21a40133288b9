"""`python -m bench list`: what exists."""

from typing import Any

from bench.errors import unknown
from bench.options import Kind, Name


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
