"""`python -m bench plan`: which cells of a suite are cached, which a run would compute, and how long that may take."""

import json
import sys
from collections import Counter

from rich.console import Console

from bench.display import tables as display
from bench.planning import plan as planning
from bench.planning.status import CacheState, History, cache_states
from bench.request import AsJson, Request, with_options


@with_options()
def plan(request: Request, as_json: AsJson = False) -> None:
    """Show which cells of a suite are cached, and which a run would compute.

    A stale cell was computed by other code than there is now; the modules that
    have changed are named. Where only metrics have, models are not trained
    again: what is kept of their forecasts is measured.
    """
    planned = planning.plan(request)
    history = History.read(planned.store)
    found = cache_states(planned.cells, planned.store, history)
    if as_json:
        cells = {one.key: one for one in planned.cells}
        entries = []
        for entry in planned.share_of_manifest["cells"]:
            state = found[entry["key"]]
            seconds = history.expected(cells[entry["key"]]) if state.state in ("missing", "stale") else 0.0
            entries.append({**entry, "state": state.state, "why": state.why, "seconds": seconds})
        content = {"suite": planned.manifest["suite"], "jobs": planned.jobs, "cells": entries}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return
    console = Console(highlight=False)
    console.print(display.plan(planned.share_of_manifest, found, console.width))
    for line in _summary(planned, found, history):
        console.print(line, markup=False, soft_wrap=True)


def _summary(planned: planning.Plan, found: dict[str, CacheState], history: History) -> list[str]:
    """How many cells are in which state, why those are stale that are, and how long the rest may take."""
    mine = {one.key: found[one.key] for one in planned.share}
    counts = Counter(one.state for one in mine.values())
    words = {"cached": "cached", "missing": "missing", "stale": "stale", "measured": "to be measured again"}
    shown = [state for state in words if counts[state] or state in ("cached", "missing")]
    named = [f"{counts[state]} {words[state]}" for state in shown]
    seeds_each = len(planned.cells[0].cell.seeds)
    lines = [f"{', '.join(named)}; {seeds_each} seeds in each cell; kept in {planned.store.root}"]
    reasons = Counter((one.state, one.why) for one in mine.values() if one.why)
    lines += [f"{words[state]}: {count} of {why}" for (state, why), count in reasons.most_common()]
    waiting = [one for one in planned.share if mine[one.key].state in ("missing", "stale")]
    times = [history.expected(one) for one in waiting]
    known = [seconds for seconds in times if seconds is not None]
    if known:
        left = f"; no such cell has been run for {len(times) - len(known)} of them" if len(known) < len(times) else ""
        lines.append(f"about {display.duration(max(sum(known) / planned.jobs, *known))} with -j {planned.jobs}{left}")
    return lines
