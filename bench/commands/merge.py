"""`python -m bench merge`: the cells of several stores, as of shards that ran on different machines, in one."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.errors import MISTAKEN, UserError, print_to_stderr
from bench.request import RUNS, Out
from bench.runs import load_run
from results import DamagedCellError, MissingCellError, Store
from results.store.atomic import write_in_one_stroke
from results.store.lease import Lease
from results.store.record import is_failure
from results.store.run import Run

# What runs must agree on to be parts of one.
SHARED = ("budget", "equal", "allowance", "seeds", "data_seed", "sampling", "metrics")


def merge(
    stores: Annotated[list[Path], typer.Argument(metavar="STORE...", help="Folders given to --out in other runs.")],
    out: Out = RUNS,
) -> int:
    """Copy the finished cells of other stores into one, and join the runs of the same suite.

    A cell that is there already stays, unless it failed and the other did not.
    """
    code = 0
    for folder in (*stores, out):
        Store(folder).check_version()
    for folder in stores:
        if not (folder / "cells").is_dir():
            raise UserError(f"there is no store in {folder}: name a folder that was given to --out")
    manifests: dict[str, dict[str, Any]] = {}
    for path in [path for folder in (out, *stores) for path in sorted(folder.glob("*/manifest.json"))]:
        run = Run.load(path.parent) if path.parent.parent == out else load_run(path.parent)  # ours would be replaced
        if run is None:
            code = MISTAKEN
            continue
        before = manifests.get(run.suite)
        manifests[run.suite] = dict(run.manifest) if before is None else _joined(before, run.manifest, path)
    try:
        for folder in stores:
            counts = Counter(_take_over(Store(folder), Store(out), key) for key in Store(folder).all_keys())
            for key in Store(folder, "fits").all_keys():
                _take_over(Store(folder, "fits"), Store(out, "fits"), key)
            said = ", ".join(f"{count} {fate}" for fate, count in sorted(counts.items())) or "nothing to copy"
            sys.stdout.write(f"{folder}: {said}\n")
        for suite, manifest in manifests.items():
            write_in_one_stroke(out / suite / "manifest.json", json.dumps(manifest, indent=2))
    except OSError as error:
        raise UserError(
            f"cannot write to {out}: {error}; what is copied is whole, and the same command goes on"
        ) from error
    return code


def _take_over(theirs: Store, ours: Store, key: str) -> str:
    """Copy a cell of their store into ours, where it is better than what is there, and say what became of it."""
    lease = Lease(ours, key)
    if not lease.acquire():
        return "in use"
    try:
        there = ours.finished(key)
        if there and (ours.kind == "fits" or not is_failure(ours.records(key)) or is_failure(theirs.records(key))):
            return "already there"
        ours.adopt(theirs, key, replace=True)
    except (DamagedCellError, MissingCellError) as error:
        print_to_stderr(f"left out: {error}")
        return "damaged"
    finally:
        lease.release()
    return "copied"


def _joined(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The manifest of two runs together. Raises UserError where they are not parts of one run."""
    different = [name for name in SHARED if ours.get(name) != theirs.get(name)]
    if different:
        raise UserError(
            f"{path} differs from the run of this suite that it would be joined with in {', '.join(different)}: "
            "merge it into another --out"
        )
    here, there = (
        {one["label"]: one["configuration"] for one in run["learners"] if "configuration" in one}
        for run in (ours, theirs)
    )
    for name in here.keys() & there:
        if here[name] != there[name]:
            raise UserError(
                f"{path} shortens {there[name]} to {name}, and the run of this suite that it would be joined with "
                f"shortens {here[name]} so: merge it into another --out"
            )
    systems = list(dict.fromkeys([*ours["systems"], *theirs["systems"]]))
    settings = {one["label"]: one for run in (theirs, ours) for one in run.get("system_settings", ())}
    learners = {one["label"]: one for one in (*theirs["learners"], *ours["learners"])}
    order = dict.fromkeys(one["label"] for one in (*ours["learners"], *theirs["learners"]))
    cells = {(one["system"], one["learner"]): one for one in (*theirs["cells"], *ours["cells"])}
    places = [(system, learner) for system in systems for learner in order if (system, learner) in cells]
    variants = {one["label"]: one for run in (ours, theirs) for one in run.get("variants", ())}
    lacks = {
        system: [name for name in order if any(name in run.get("lacks", {}).get(system, ()) for run in (ours, theirs))]
        for system in systems
        if any(system in run.get("lacks", {}) for run in (ours, theirs))
    }
    return {
        **ours,
        "systems": systems,
        "system_settings": [settings[label] for label in systems if label in settings],
        "learners": [learners[label] for label in order],
        "cells": [cells[place] for place in places],
        "asked": _asked_together(ours, theirs),
        "published": {**theirs.get("published", {}), **ours.get("published", {})},
        **({"variants": [*variants.values()]} if variants else {}),
        **({"lacks": lacks} if lacks else {}),
    }


def _asked_together(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What a request would be that asks for both runs: without a selection, all of a suite was asked for."""
    mine, other = (run.get("asked", {"suite": run["suite"]}) for run in (ours, theirs))
    both = dict(mine)
    for name in ("systems", "learners"):
        one, two = (asked.get(name, []) for asked in (mine, other))
        both[name] = list(dict.fromkeys([*one, *two])) if one and two else []
    for name in ("sweeps", "include", "metrics"):
        both[name] = list(dict.fromkeys([*mine.get(name, []), *other.get(name, [])]))
    return both
