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
Include = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE.py",
        rich_help_panel=WHAT,
        help="Your own file, whose systems and learners -s and -l can name; repeat for more.",
    ),
]
MoreMetrics = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="NAME", rich_help_panel=WHAT, help="Measure this too; repeat for more."),
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
Trials = Annotated[
    int, typer.Option(metavar="N", rich_help_panel=HOW, help="Choices of settings that are tried for each learner.")
]
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
Out = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", rich_help_panel=HOW, help="Where cells and reports are kept.")
]
Timeout = Annotated[
    float | None, typer.Option(metavar="S", rich_help_panel=HOW, help="Seconds after which a cell is stopped.")
]
Retries = Annotated[
    int, typer.Option(metavar="N", rich_help_panel=HOW, help="New attempts after a crash or lack of memory.")
]
Memory = Annotated[
    float | None,
    typer.Option(
        metavar="GIB", rich_help_panel=HOW, help="Memory of a cell, beyond what its process starts with (host)."
    ),
]
Rerun = Annotated[
    str,
    typer.Option(metavar="failed|all|NAME", rich_help_panel=HOW, help="Finished cells to compute again; see --cache."),
]


class Cache(StrEnum):
    """What finished cells are good for."""

    DEFAULT = "default"
    IGNORE = "ignore"
    ONLY = "only"


CacheUse = Annotated[
    Cache,
    typer.Option("--cache", rich_help_panel=HOW, help="ignore: compute all anew; only: compute nothing, report."),
]
ShardOf = Annotated[
    str, typer.Option("--shard", metavar="I/N", rich_help_panel=HOW, help="Part I of N of the suite, for job arrays.")
]
Executor = Annotated[
    str,
    typer.Option(
        metavar="local|dask|dask://HOST:PORT",
        rich_help_panel=HOW,
        help="Where cells run; or dask://FILE.json of a scheduler. Extra \\[dask].",
    ),
]


class Tracker(StrEnum):
    """What else a run is written for."""

    TENSORBOARD = "tensorboard"


Track = Annotated[
    Tracker | None,
    typer.Option("--track", rich_help_panel=SHOWN, help="Write curves and metrics for it too; extra \\[track]."),
]
Film = Annotated[
    bool,
    typer.Option("--film", rich_help_panel=SHOWN, help="Film how the first seed of each cell learns; trains it anew."),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", rich_help_panel=HOW, help="Stop at the first cell that fails.")]
AsJson = Annotated[
    bool, typer.Option("--json", rich_help_panel=SHOWN, help="Print one JSON object at the end, no more.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", rich_help_panel=SHOWN, help="Print nothing but the path of what is written.")
]

Kind = Annotated[str, typer.Argument(metavar="[suites|systems|learners|metrics]", help="Only things of this kind.")]
Name = Annotated[str, typer.Argument(help="All that is known of this one.")]
Stores = Annotated[list[Path], typer.Argument(metavar="STORE...", help="Folders given to --out in other runs.")]
Runs = Annotated[list[str] | None, typer.Argument(help="Suites, or folders of runs; all runs if none is named.")]
Certify = Annotated[bool, typer.Option("--certify", help="Certify the systems, as `doctor --systems` does.")]
Patients = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Systems, or known cases; all of both if none is named.")
]
Half = Annotated[
    bool | None, typer.Option("--systems/--instruments", help="Only the systems, or only the measuring instruments.")
]

FromRun = Annotated[str, typer.Option("--from", metavar="RUN", help="The run to keep: its suite, or its folder.")]
BaselineName = Annotated[
    str, typer.Option("--name", metavar="NAME|FILE.json", help="Of the baseline; the suite's if not given.")
]
Noise = Annotated[
    list[str] | None,
    typer.Option("--noise", metavar="RUN", help="A re-run with other seeds, to measure the noise by; repeat for more."),
]
Tolerances = Annotated[
    list[str] | None,
    typer.Option("--tolerance", metavar="METRIC=X", help="Of the logarithm of a metric; repeat for more."),
]
CheckedRun = Annotated[str, typer.Argument(metavar="RUN", help="The suite of a run, or its folder; or a timing.json.")]
BaselineFile = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="If not given: results/baselines/ and the name of the suite."),
]
Strict = Annotated[bool, typer.Option("--strict", help="An inconclusive check fails too.")]
Adaptive = Annotated[
    bool, typer.Option("--adaptive", help="Run with more seeds, as many as the baseline has, while inconclusive.")
]
Times = Annotated[bool, typer.Option("--times", help="Decide by times too: both runs are of this very job.")]
JUnit = Annotated[Path | None, typer.Option("--junit", metavar="FILE.xml", help="Write a JUnit report too.")]
FirstRun = Annotated[str, typer.Argument(metavar="A", help="The suite of a run, or its folder; or a timing.json.")]
SecondRun = Annotated[str, typer.Argument(metavar="B", help="The run to see beside it.")]
Shown = Annotated[
    list[str] | None, typer.Option("--metric", "-m", metavar="NAME", help="Only this metric; repeat for more.")
]


class Layout(StrEnum):
    """How a comparison is printed."""

    TEXT = "text"
    MD = "md"
    JSON = "json"


Format = Annotated[Layout, typer.Option("--format", help="How it is printed.")]
NewKind = Annotated[str, typer.Argument(metavar="learner", help="What to begin.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="The name of its class, such as MyLearner.")]
WithClaims = Annotated[
    bool,
    typer.Option("--claims", rich_help_panel=SHOWN, help="Test what the literature says on these results, instead."),
]


class Variant(StrEnum):
    """How a computation is launched."""

    EAGER = "eager"
    COMPILED = "compiled"
    GRAPH = "graph"


class Precision(StrEnum):
    """In what numbers networks compute."""

    FLOAT32 = "float32"
    TF32 = "tf32"
    BFLOAT16 = "bfloat16"
    FLOAT64 = "float64"


Variants = Annotated[
    list[Variant] | None,
    typer.Option("--variant", rich_help_panel=HOW, help="Only so launched; repeat for more. graph: CUDA's."),
]
Precisions = Annotated[
    list[Precision] | None,
    typer.Option("--precision", rich_help_panel=HOW, help="Compute so; repeat for more. If not given: float32."),
]
Batches = Annotated[
    list[int] | None,
    typer.Option("--batch", metavar="N", rich_help_panel=HOW, help="Segments in an update; repeat for more."),
]
MeasureFor = Annotated[
    float, typer.Option("--seconds", metavar="S", rich_help_panel=HOW, help="How long each thing is measured.")
]
Threads = Annotated[
    int, typer.Option("--threads", metavar="N", rich_help_panel=HOW, help="Of the CPU, for each operation.")
]


class FigureStyle(StrEnum):
    """For what figures are made."""

    PAPER = "paper"
    TALK = "talk"
    SCREEN = "screen"


StyleOfFigures = Annotated[
    FigureStyle | None,
    typer.Option("--style", rich_help_panel=SHOWN, help="Size and fonts of figures; paper: journals' column widths."),
]
PageFormats = Annotated[
    str | None,
    typer.Option("--format", metavar="md,csv,tex,html", rich_help_panel=SHOWN, help="Tables as these; html: the page."),
]
FigureFormats = Annotated[
    str | None, typer.Option("--figures", metavar="pdf,svg,png", rich_help_panel=SHOWN, help="Figures as these.")
]
WithGallery = Annotated[
    bool, typer.Option("--gallery", rich_help_panel=SHOWN, help="Draw every figure once on sample data, instead.")
]
