"""`python -m bench time`: what an update, and a forecast step or a classification, take on this machine."""

import os
import sys
from enum import StrEnum
from typing import Annotated

from rich.console import Console

from bench.display.tables import sheet
from bench.errors import INTERRUPTED, NOTHING_MEASURED, UserError, at_least, positive, print_to_stderr
from bench.planning import plan as planning
from bench.request import Quiet, Request, how_option, with_options
from bench.runs import spinner


class Launch(StrEnum):
    """How a computation is launched."""

    EAGER = "eager"
    COMPILED = "compiled"
    GRAPH = "graph"
    KERNEL = "kernel"


class Precision(StrEnum):
    """In what numbers networks compute."""

    FLOAT32 = "float32"
    TF32 = "tf32"
    BFLOAT16 = "bfloat16"
    FLOAT64 = "float64"


@with_options(without=("metrics", "sweeps", "seeds", "data_seed", "budget", "jobs", "shard"), suite="chaos")
def time(
    request: Request,
    batch: Annotated[list[int] | None, how_option(metavar="N", help="Segments in an update; repeat for more.")] = None,
    precision: Annotated[
        list[Precision] | None, how_option(help="Compute so; repeat for more. If not given: float32.")
    ] = None,
    variant: Annotated[
        list[Launch] | None,
        how_option(help="Only so launched; repeat for more. graph: CUDA's; kernel: ours for CPUs."),
    ] = None,
    seconds: Annotated[float, how_option(metavar="S", help="How long each thing is measured.")] = 0.2,
    threads: Annotated[int, how_option(metavar="N", help="Of the CPU, for each operation.")] = 1,
    quiet: Quiet = False,
) -> int:
    """Time an update and a forecast step of each learner: parts, memory, launches, rates, and how they grow.

    Of classifiers, an update and the classes of the test images.

    On the suite's first system or image set, or the one that is named. Nothing is trained:
    weights are as they were drawn. Times are of this machine alone. Ctrl-C ends with what
    has been timed by then.
    """
    from results.timing import report

    for option, numbers in (("--batch", batch or ()), ("--threads", [threads])):
        for number in numbers:
            at_least(option, number, 1)
    positive("--seconds", seconds, "seconds")
    if len(request.systems) > 1:
        raise UserError(f"time takes one system, but is given {', '.join(request.systems)}: name one with -s")
    for name, level in {"KINETO_LOG_LEVEL": "99", "TORCH_CPP_LOG_LEVEL": "ERROR"}.items():
        os.environ.setdefault(name, level)  # before torch is loaded, whose profiler talks
    plan = planning.plan(request)
    suite, first = plan.manifest["suite"], plan.cells[0].cell
    everyone = [one.cell.learner for one in plan.cells if one.cell.system == first.system]
    named = {text.partition("[")[0] for text in request.learners}
    learners = [learner for learner in everyone if not learner.reference or type(learner).__name__ in named]
    if not learners:
        print_to_stderr(f"nothing to time: suite {suite} has reference rows alone")
        return NOTHING_MEASURED
    from bench.timing.timing import CUT_SHORT, time_learners

    with spinner("timing: reading the data", stderr=True, quiet=quiet, highlight=False) as status:
        found = time_learners(
            first,
            learners,
            {"suite": suite, "system": first.system_label, "threads": threads},
            folder=request.out / "data",
            seconds=seconds,
            variants=list(variant or Launch),
            precisions=list(precision or [Precision.FLOAT32]),
            batches=batch or (),
            notify=lambda text: status.update(f"timing: {text}"),
        )
    if not found["times"]:
        reasons = "; ".join(f"{one['learner']}: {one['reason']}" for one in found["skipped"])
        print_to_stderr(f"nothing could be timed: {reasons}")
        return NOTHING_MEASURED
    path = report.write(found, request.out / "timing" / f"{suite}-{first.device}")
    cut = any(one["reason"] == CUT_SHORT for one in found["skipped"])
    code = INTERRUPTED if cut else 0
    if quiet:
        sys.stdout.write(f"{path}\n")
        return code
    console = Console(highlight=False)
    for one in report.sheets(found):
        console.print(sheet(one))
    console.print(f"{path}", soft_wrap=True)
    return code
