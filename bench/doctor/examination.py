"""What `python -m bench doctor` runs and prints: certificates of systems, and instruments on known cases."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from math import floor, inf, isfinite, log10
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from bench.catalogue.components import ComponentEntry
from bench.catalogue.settings import build, parse
from bench.display.tables import table_of
from bench.errors import UserError
from bench.machine.environment import cores
from bench.machine.pool import pool_of_workers

if TYPE_CHECKING:
    from systems import Certificate, Check, System

WIDTHS = (26, 12, 17, 13, 4)  # of the columns of every table, so that they line up, within 80 characters
PASS = Text("pass", style="green")
FAIL = Text("FAIL", style="bold red")


def certifiable(known: Mapping[str, ComponentEntry]) -> list[str]:
    """The systems that need no arguments: a certificate is of default parameters. Sets of images have none."""
    systems = {name: system for name, system in known.items() if system.kind != "ImageSet"}
    return [name for name, system in systems.items() if all(one.default for one in system.parameters)]


def case_names() -> list[str]:
    """The cases that the measuring instruments are tried on."""
    from bench.doctor.cases import CASES

    return [case.name for case in CASES]


def examine(systems: Sequence[str], cases: Sequence[str] = (), as_json: bool = False) -> bool:
    """Check systems, and instruments on cases; print all, and return whether all pass. Raises UserError."""
    console = Console(highlight=False, quiet=as_json)
    found = []
    for certificate in certificates(systems, cases):
        if systems and len(found) == len(systems):
            console.print("Measuring instruments on known cases\n", style="bold")
        console.print(certificate_table(certificate), "")
        found.append(certificate)
    failed = [certificate.system for certificate in found if not certificate.passed]
    if as_json:
        sys.stdout.write(certificates_as_json(found[: len(systems)], found[len(systems) :]) + "\n")
    outcome = f"failed: {', '.join(failed)}" if failed else "all passed"
    counts = (f"{len(systems)} system{'s' * (len(systems) != 1)}", f"{len(cases)} known case{'s' * (len(cases) != 1)}")
    console.print(f"{', '.join(counts)}: {outcome}", markup=False)
    return not failed


def certificates(systems: Sequence[str], cases: Sequence[str] = ()) -> Iterator["Certificate"]:
    """The certificates of these systems, then of these cases, in order, on all cores. Raises UserError.

    A system by its name alone is at its default parameters, and at others of which something is known.
    """
    jobs = [
        *(partial(_certify_systems, _systems_named(text)) for text in systems),
        *(partial(_certify_case, name) for name in cases),
    ]
    workers = min(len(jobs), cores())
    if workers < 2:
        yield from (job() for job in jobs)
        return
    with pool_of_workers(workers) as pool:
        for certificate in [pool.submit(job) for job in jobs]:
            yield certificate.result()


def certificate_table(certificate: "Certificate") -> RenderableType:
    """One row for each check: its value, what is expected, the source of that, and whether it passes.

    A measured value is followed by half of its 95 % interval, in units of its last digits.
    """
    rows = []
    for one in certificate.checks:
        value = one.value if isinstance(one.value, str) else _with_margin(one.value, one.margin)
        source = Text(one.source, style="dim")
        rows.append((one.name, value, _expectation(one), source, PASS if one.passed else FAIL))
    table = table_of((certificate.system, "value", "expected", "source", ""), rows)
    for column, width in zip(table.columns, WIDTHS, strict=True):
        column.width = width
    return table


def _with_margin(value: float, margin: float) -> str:
    """A value, and in brackets what its last digits are uncertain by, where it was measured on a sample: 0.4188(25)."""
    if not 0 < margin < inf:
        return f"{value:{'.6g' if abs(value) >= 1e-3 else '.2g'}}"
    decimals = max(0, 1 - floor(log10(margin)))
    return f"{value:.{decimals}f}({round(margin * 10**decimals)})"


def certificates_as_json(systems: Sequence["Certificate"], cases: Sequence["Certificate"] = ()) -> str:
    """All certificates as one JSON object; numbers that are not finite become null."""
    found = {
        "passed": all(one.passed for one in (*systems, *cases)),
        "systems": [{"system": one.system} | _entries(one) for one in systems],
        "instruments": [{"case": one.system} | _entries(one) for one in cases],
    }
    return json.dumps(found, indent=2)


def _entries(certificate: "Certificate") -> dict[str, Any]:
    checks = []
    for check in certificate.checks:
        entries = asdict(check) | {"passed": check.passed}
        checks.append(
            {name: None if isinstance(one, float) and not isfinite(one) else one for name, one in entries.items()}
        )
    return {"passed": certificate.passed, "checks": checks}


def _expectation(check: "Check") -> str:
    """What a value is compared with, in a few characters."""
    if isinstance(check.expected, str):
        return check.expected
    if check.kind == "at least":
        return f">= {check.expected:g}"
    if check.tolerance == 0:
        return f"{check.expected:g}"
    if check.expected == 0:
        return f"< {check.tolerance:.2g}"
    return f"{check.expected:.6g} ± {check.tolerance:.2g}"


def _systems_named(text: str) -> "list[System]":
    from bench.doctor.own_systems import check_promises, mistakes_located
    from bench.planning.selection import class_named
    from systems import System
    from systems.certificates.certificate import certified

    wanted = parse(text)
    kind = class_named("systems", wanted.name)
    if not issubclass(kind, System):
        raise UserError(f"{wanted.name} is a set of images, which have no certificate: python -m bench list systems")
    system = build(kind, wanted.values)
    with mistakes_located(system):
        check_promises(system)
        return [system] if wanted.values else certified(kind)


def _certify_systems(those: "Sequence[System]") -> "Certificate":
    """The certificate of the first of some systems of a class, followed by what is known of the others."""
    from bench.doctor.own_systems import mistakes_located
    from systems import certify

    with mistakes_located(those[0]):
        first, *others = map(certify, those)
    name = type(those[0]).__name__
    more = [
        replace(check, name=f"{check.name} {one.system.removeprefix(name)}") for one in others for check in one.checks
    ]
    return replace(first, checks=(*first.checks, *more))


def _certify_case(name: str) -> "Certificate":
    from bench.doctor.cases import CASES

    return next(case for case in CASES if case.name == name).certificate()
