"""`python -m bench doctor`: systems and measuring instruments, held to theory, published values and committed data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.catalogue import plugins
from bench.catalogue.components import components
from bench.doctor import examination
from bench.errors import CHECK_FAILED, UserError, unknown
from bench.request import AsJson, Include


def doctor(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|FILE.py",
            help="Systems, also with parameters (Lorenz\\[rho=35]), all those of a file of yours, or known cases; "
            "by default all systems and cases.",
        ),
    ] = None,
    include: Include = None,
    systems_alone: Annotated[
        bool | None,
        typer.Option("--systems/--instruments", help="Only the systems, or only the measuring instruments."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Hold systems to theory, published values and committed data, and measuring instruments to known cases.

    Ends with exit code 1 where a check fails.
    """
    mine = [str(path) for path in include or ()]
    wanted = list(dict.fromkeys(str(Path(name)) if name.endswith(".py") else name for name in names or mine))
    if wanted and systems_alone is not None:
        raise UserError("--systems and --instruments are for all of them, but some are named: leave the option out")
    if wanted:
        files = dict.fromkeys([*mine, *(name for name in wanted if name.endswith(".py"))])
        systems, cases = _find(wanted, list(files))
    else:
        systems = examination.certifiable(components("systems")) if systems_alone is not False else []
        cases = examination.case_names() if systems_alone is not True else []
    return 0 if examination.examine(systems, cases, as_json) else CHECK_FAILED


def _find(wanted: Sequence[str], files: Sequence[str]) -> tuple[list[str], list[str]]:
    """The systems and the cases that are named; a file stands for all of its systems. Raises UserError."""
    paths = [Path(file) for file in files]
    known = [*components("systems"), *sorted(plugins.defined(paths)), *plugins.installed("systems")]
    cases = [name for name in wanted if name not in files and name.partition("[")[0] not in known]
    there = examination.case_names() if cases else []
    for name in cases:
        if name not in there:
            raise unknown("system or case", name, [*known, *there])
    plugins.include(paths)
    modules = dict(zip(files, plugins.included, strict=True))
    systems: list[str] = []
    for name in wanted:
        if name in modules:
            from bench.doctor.own_systems import names_of_systems  # with torch

            systems += names_of_systems(modules[name])
        elif name not in cases:
            systems.append(name)
    return list(dict.fromkeys(systems)), cases
