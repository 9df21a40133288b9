"""`python -m bench time`: what an update and a forecast step of each learner take on this machine."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import NOTHING_MEASURED, UserError, at_least, positive, tell
from bench.options import (
    RUNS,
    Batches,
    Device,
    Include,
    Learners,
    MeasureFor,
    Out,
    Precision,
    Precisions,
    Quiet,
    SuiteName,
    Systems,
    Threads,
    Variant,
    Variants,
    Where,
)

if TYPE_CHECKING:
    from bench.cells.cell import Cell


def time(
    suite: SuiteName = "chaos",
    system: Systems = None,
    learner: Learners = None,
    include: Include = None,
    device: Where = Device.AUTO,
    batch: Batches = None,
    precision: Precisions = None,
    variant: Variants = None,
    seconds: MeasureFor = 0.2,
    threads: Threads = 1,
    out: Out = RUNS,
    quiet: Quiet = False,
) -> int:
    """Time an update and a forecast step of each learner: parts, memory, launches, rates, and how they grow.

    On the suite's first system, or the one that is named. Nothing is trained:
    weights are as they were drawn. Times are of this machine alone.
    """
    from bench.planning.plan import prepare
    from bench.request import Request

    for option, numbers in (("--batch", batch or ()), ("--threads", [threads])):
        for number in numbers:
            at_least(option, number, 1)
    positive("--seconds", seconds, "seconds")
    if system and len(system) > 1:
        raise UserError(f"time takes one system, but is given {', '.join(system)}: name one with -s")
    for variable, level in {"KINETO_LOG_LEVEL": "99", "TORCH_CPP_LOG_LEVEL": "ERROR"}.items():
        os.environ.setdefault(variable, level)  # before torch is loaded, whose profiler talks
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # that there is no GPU is no news
    request = Request(suite, systems=system or (), learners=learner or (), include=include or (), device=device)
    planned = prepare(replace(request, out=out))
    first = planned.cells[0].system
    cells = [one for one in planned.cells if one.system == first and (learner or not one.learner.reference)]
    if not cells:
        tell(f"nothing to time: suite {planned.manifest['suite']} has reference rows alone")
        return NOTHING_MEASURED
    how = {"variants": list(variant or Variant), "precisions": list(precision or [Precision.FLOAT32])}
    with _telling(not quiet) as say:
        about = {"suite": planned.manifest["suite"], "system": cells[0].system_label, "threads": threads}
        found = _measured(cells, about, out / "data", say=say, seconds=seconds, batches=batch or (), **how)
    if not found["times"]:
        tell("nothing could be timed: " + "; ".join(f"{one['learner']}: {one['reason']}" for one in found["skipped"]))
        return NOTHING_MEASURED
    _written(found, out / "timing" / f"{about['suite']}-{cells[0].device}", quiet)
    return 0


def _measured(cells: "list[Cell]", about: dict[str, Any], folder: Path, **how: Any) -> dict[str, Any]:
    """What `bench.timing.timing` finds out about the learners of cells that share their data."""
    from bench.cells.data import dataset
    from bench.timing.stopwatch import threads
    from bench.timing.timing import Timing
    from systems import Sampling

    cell = cells[0]
    if not isinstance(cell.sampling, Sampling):
        raise UserError(f"time is for learners that forecast, but suite {about['suite']} classifies images")
    how["say"]("reading the data")
    brief = replace(cell.sampling, climate=1, climate_horizon=cell.sampling.step, horizon=2 * cell.sampling.step)
    data = dataset(cell.system, brief, cell.data_seed, folder).to(cell.device)
    with threads(about["threads"]):
        timing = Timing(data, cell.device, **how)
        return timing.report([cell.learner for cell in cells], about | {"forecasts": len(data.test)})


def _written(found: dict[str, Any], folder: Path, quiet: bool) -> None:
    """Write the report, and print it: its path alone where little is to be said."""
    from rich.console import Console

    from bench.display.tables import sheet
    from results.timing.report import sheets, write

    path = write(found, folder)
    if quiet:
        sys.stdout.write(f"{path}\n")
        return
    console = Console(highlight=False)
    for one in sheets(found):
        console.print(sheet(one))
    console.print(f"{path}", soft_wrap=True)


@contextmanager
def _telling(shown: bool) -> Iterator[Callable[[str], None]]:
    """A function that shows in a terminal what is going on."""
    from rich.console import Console

    with Console(stderr=True, quiet=not shown, highlight=False).status("planning") as status:
        yield lambda text: status.update(f"timing: {text}")
