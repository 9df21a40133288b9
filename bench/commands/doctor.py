"""`python -m bench doctor`: systems and measuring instruments, held to theory, published values and committed data."""

from typing import Annotated

import typer

from bench.catalogue.components import components
from bench.doctor import examination
from bench.errors import CHECK_FAILED, UserError, unknown
from bench.request import AsJson


def doctor(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Systems, also with parameters (Lorenz[rho=35]), or known cases; by default all of both.",
        ),
    ] = None,
    systems_alone: Annotated[
        bool | None,
        typer.Option("--systems/--instruments", help="Only the systems, or only the measuring instruments."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Hold systems to theory, published values and committed data, and measuring instruments to known cases.

    Ends with exit code 1 where a check fails.
    """
    known = components("systems")
    if not names:
        systems = examination.certifiable(known) if systems_alone is not False else []
        cases = examination.case_names() if systems_alone is not True else []
    elif systems_alone is not None:
        raise UserError("--systems and --instruments are for all of them, but some are named: leave the option out")
    else:
        systems = [name for name in dict.fromkeys(names) if name.partition("[")[0] in known]
        cases = [name for name in dict.fromkeys(names) if name not in systems]
        there = examination.case_names() if cases else []
        for name in cases:
            if name not in there:
                raise unknown("system or case", name, [*known, *there])
    return 0 if examination.examine(systems, cases, as_json) else CHECK_FAILED
