"""Which page of the documentation explains what went wrong: that of the room it was found in."""

from traceback import walk_tb

PAGES = {
    "bench.catalogue.plugins": "own.md",
    "bench.catalogue.rebuilding": "own.md",
    "bench.commands.baseline": "gate.md",
    "bench.commands.calibrate": "fairness.md",
    "bench.commands.check": "gate.md",
    "bench.commands.forecast": "own.md#data",
    "bench.commands.merge": "cluster.md",
    "bench.commands.new": "own.md",
    "bench.commands.try_data": "own.md#data",
    "bench.doctor.own_systems": "own.md#a-system",
    "bench.equal_time": "fairness.md",
    "bench.interface": "python.md",
    "bench.runner.cluster": "cluster.md",
    "results.gate": "gate.md",
    "systems.recordings": "own.md#data",
}


def page_about(error: BaseException) -> str:
    """The page, such as `docs/own.md#data`, of the innermost room that an error or its cause went through, or ""."""
    rooms = []
    each: BaseException | None = error
    while each is not None:  # outermost first
        rooms += [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(each.__traceback__)]
        each = each.__cause__
    for room in reversed(rooms):
        for name, page in PAGES.items():
            if f"{room}.".startswith(f"{name}."):
                return f"docs/{page}"
    return ""
