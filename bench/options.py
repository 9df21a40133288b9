"""The options of the command line: what they are called, what they take, and what help says of them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

WHAT, HOW, SHOWN = "What is compared", "How it is run", "What is shown"
RUNS = Path("runs")


class Device(StrEnum):
    """Where learners are fitted."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"


SuiteName = Annotated[
    str,
    typer.Option("--suite", metavar="NAME|FILE.py", rich_help_panel=WHAT, help="A suite by name, or your own file."),
]
Systems = Annotated[
    list[str] | None,
    typer.Option("--system", "-s", metavar="NAME", rich_help_panel=WHAT, help="Only this system; repeat for more."),
]
Learners = Annotated[
    list[str] | None,
    typer.Option(
        "--learner",
        "-l",
        metavar="NAME",
        rich_help_panel=WHAT,
        help='Only this learner, beside the reference rows; repeat for more. Configure it as "Name\\[field=value]".',
    ),
]
Seeds = Annotated[
    int | None, typer.Option(metavar="N", rich_help_panel=WHAT, help="Number of seeds, in place of the suite's.")
]
DataSeed = Annotated[
    int | None,
    typer.Option(metavar="N", rich_help_panel=WHAT, help="Seed of the data, in place of the suite's."),
]
Budget = Annotated[
    str, typer.Option(metavar="NAME", rich_help_panel=WHAT, help="Amount of training: quick, standard or paper.")
]
Where = Annotated[Device, typer.Option("--device", rich_help_panel=HOW, help="Where learners are fitted.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        rich_help_panel=HOW,
        help="Cells at a time; if not given, one a core (GPU: one).",
    ),
]
Out = Annotated[Path, typer.Option(metavar="FOLDER", rich_help_panel=HOW, help="Where cells and reports are kept.")]
Timeout = Annotated[
    float | None, typer.Option(metavar="S", rich_help_panel=HOW, help="Seconds after which a cell is stopped.")
]
Retries = Annotated[
    int, typer.Option(metavar="N", rich_help_panel=HOW, help="New attempts after a crash or lack of memory.")
]
FailFast = Annotated[bool, typer.Option("--fail-fast", rich_help_panel=HOW, help="Stop at the first cell that fails.")]
AsJson = Annotated[
    bool, typer.Option("--json", rich_help_panel=SHOWN, help="Print one JSON object at the end, no more.")
]
Quiet = Annotated[bool, typer.Option("--quiet", rich_help_panel=SHOWN, help="Print nothing but the report's path.")]

Kind = Annotated[str, typer.Argument(metavar="[suites|systems|learners|metrics]", help="Only things of this kind.")]
Name = Annotated[str, typer.Argument(help="All that is known of this one.")]
Runs = Annotated[list[str] | None, typer.Argument(help="Suites, or folders of runs; all runs if none is named.")]
Patients = Annotated[list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="Systems; all if none is named.")]
