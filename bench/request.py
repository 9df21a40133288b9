"""What the user asks for, and how it is run: fields of two dataclasses, which are options of the command line too."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from bench.errors import UserError, at_least, positive

RUNS = Path("runs")


def names_of(kind: str) -> Callable[[str], list[str]]:
    """What a shell completes: names of a kind of things that begin as typed."""

    def complete(incomplete: str) -> list[str]:
        from bench.catalogue import components, suites

        known = {"suites": suites.suites, "metrics": components.metrics}.get(kind, partial(components.components, kind))
        return [name for name in known() if name.startswith(incomplete)]

    return complete


what_option = partial(typer.Option, rich_help_panel="What is compared")
how_option = partial(typer.Option, rich_help_panel="How it is run")
shown_option = partial(typer.Option, rich_help_panel="What is shown")


class Device(StrEnum):
    """Where learners are fitted."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"


class Cache(StrEnum):
    """What finished cells are good for."""

    DEFAULT = "default"
    IGNORE = "ignore"
    ONLY = "only"


Out = Annotated[Path, how_option(metavar="FOLDER", help="Where cells and reports are kept.")]
Timeout = Annotated[float | None, how_option(metavar="S", help="Seconds after which a cell is stopped.")]
AsJson = Annotated[bool, shown_option("--json", help="Print one JSON object at the end, no more.")]
Open = Annotated[bool, shown_option("--open", help="Show the report in a browser.")]
Quiet = Annotated[bool, shown_option("--quiet", help="Print nothing but the path of what is written.")]
Include = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE.py", help="Your own file, whose systems can be named; repeat for more."),
]
RunNames = Annotated[list[str] | None, typer.Argument(help="Suites, or folders of runs; all runs if none is named.")]


@dataclass(frozen=True)
class Request:
    """Which cells are wanted. None stands for the suite's own choice. Raises UserError where a number is too small."""

    suite: Annotated[
        str,
        what_option(
            metavar="NAME|FILE.py", help="A suite by name, or your own file.", autocompletion=names_of("suites")
        ),
    ] = ""
    systems: Annotated[
        Sequence[str],
        what_option(
            "--system",
            "-s",
            metavar="NAME",
            help="Only this system; repeat for more.",
            autocompletion=names_of("systems"),
        ),
    ] = ()
    learners: Annotated[
        Sequence[str],
        what_option(
            "--learner",
            "-l",
            metavar="NAME",
            help="Only this learner, in a run beside the reference rows; repeat for more. "
            'Configure it as "Name\\[field=value]".',
            autocompletion=names_of("learners"),
        ),
    ] = ()
    include: Annotated[
        Sequence[Path],
        what_option(
            metavar="FILE.py",
            help="Your own file, whose systems, learners and metrics -s, -l and --metric can name; repeat for more.",
        ),
    ] = ()
    sweeps: Annotated[
        Sequence[str],
        what_option(
            "--sweep",
            metavar="OWNER.FIELD=V,V",
            help="Every value in turn of a field of Sampling, Training, a system or a learner; repeat for a grid.",
        ),
    ] = ()
    metrics: Annotated[
        Sequence[str],
        what_option(
            "--metric", metavar="NAME", help="Measure this too; repeat for more.", autocompletion=names_of("metrics")
        ),
    ] = ()
    seeds: Annotated[int | None, what_option(metavar="N", help="Number of seeds, in place of the suite's.")] = None
    data_seed: Annotated[int | None, what_option(metavar="N", help="Seed of the data, in place of the suite's.")] = None
    budget: Annotated[str, what_option(metavar="NAME", help="Amount of training: quick, standard or paper.")] = (
        "standard"
    )
    device: Annotated[Device, how_option(help="Where learners are fitted.")] = Device.AUTO
    jobs: Annotated[
        int | None,
        how_option("--jobs", "-j", metavar="N", help="Cells at a time; if not given, one a core (GPU: one)."),
    ] = None
    shard: Annotated[str, how_option(metavar="I/N", help="Part I of N of the suite, for job arrays.")] = ""
    out: Out = RUNS
    rerun: str = ""  # see Conditions
    elsewhere: bool = False  # on machines that may have a GPU where this one has none

    def __post_init__(self) -> None:
        at_least("--seeds", self.seeds, 1)
        at_least("--data-seed", self.data_seed, 0)
        at_least("--jobs", self.jobs, 1)

    def selection(self) -> dict[str, Any]:
        """What is compared, as JSON-ready values that mean the same in any folder: arguments of another request."""
        suite = str(Path(self.suite).resolve()) if self.suite.endswith(".py") else self.suite
        named = {name: list(getattr(self, name)) for name in ("systems", "learners", "metrics", "sweeps")}
        return {"suite": suite, **named, "include": [str(path.resolve()) for path in self.include]}


@dataclass(frozen=True)
class Conditions:
    """How cells are run. Raises UserError where a number is too small.

    Failed cells count as finished, unless `rerun` names them; retries are for crashes and lack of memory. After a
    failure, `fail_fast` starts nothing more, but lets the cells that run come to their end.
    """

    jobs: int = 1  # cells at a time: not an option, but what the plan makes of that of the request
    timeout: Timeout = None
    memory: Annotated[
        float | None, how_option(metavar="GIB", help="Memory of a cell, beyond what its process starts with (host).")
    ] = None
    threads: Annotated[
        int | None,
        how_option(metavar="N", help="Threads of each cell; if not given, one, and for images the cores shared out."),
    ] = None
    retries: Annotated[int, how_option(metavar="N", help="New attempts after a crash or lack of memory.")] = 0
    rerun: Annotated[
        str, how_option(metavar="failed|all|NAME", help="Finished cells to compute again; see --cache.")
    ] = ""
    cache: Annotated[Cache, how_option(help="ignore: compute all anew; only: compute nothing, report.")] = Cache.DEFAULT
    executor: Annotated[
        str,
        how_option(
            metavar="local|dask|dask://HOST:PORT",
            help="Where cells run; or dask://FILE.json of a scheduler. Extra \\[dask].",
        ),
    ] = "local"
    fail_fast: Annotated[bool, how_option("--fail-fast", help="Stop at the first cell that fails.")] = False

    def __post_init__(self) -> None:
        at_least("--jobs", self.jobs, 1)
        at_least("--threads", self.threads, 1)
        at_least("--retries", self.retries, 0)
        positive("--timeout", self.timeout, "seconds")
        positive("--memory", self.memory, "GiB")


def with_options(without: Collection[str] = (), **defaults: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for each annotated field of the dataclasses that it takes.

    Args:
        without: fields that have no option with this command; they keep their defaults.
        defaults: of options, in place of those of the fields.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        parts: dict[str, tuple[Any, list[Parameter]]] = {}  # a dataclass and its options, by parameter of the command
        parameters: list[Parameter] = []
        for name, parameter in signature(command).parameters.items():
            kind: Any = parameter.annotation
            if not is_dataclass(kind):
                parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
                continue
            annotated = [field for field in fields(kind) if get_origin(field.type) is Annotated]
            options = [_option(field, defaults) for field in annotated if field.name not in without]
            parts[name] = kind, options
            parameters += options

        @wraps(command)
        def flat(**given: Any) -> Any:
            built = {
                name: kind(**{option.name: given.pop(option.name) for option in options})
                for name, (kind, options) in parts.items()
            }
            return command(**built, **given)

        flat.__signature__ = Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
        flat.__annotations__ = {}
        return flat

    return decorate


def _option(field: Any, defaults: dict[str, Any]) -> Parameter:
    """The parameter of a command that stands for a field; sequences are lists to typer."""
    kind, option = get_args(field.type)
    if get_origin(kind) is Sequence:
        kind = list[get_args(kind)]
    default = defaults.get(field.name, field.default)
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


@dataclass(frozen=True)
class Shard:
    """The part of a suite that one of several runs computes: number `part` of so many `parts`, from 1."""

    part: int
    parts: int


WHOLE = Shard(1, 1)


def read_shard(text: str) -> Shard:
    """The shard that `i/n` stands for; all of the suite where nothing is said. Raises UserError."""
    if not text:
        return WHOLE
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UserError(f"--shard is i/n, the number of a part from 1 to n and n, such as 1/4, but is {text!r}")
    return Shard(int(found[1]), int(found[2]))
