"""What `python -m bench doctor` runs and prints: certificates of systems, and instruments on known cases."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from math import isfinite
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from bench.catalogue.components import Component
from bench.display.tables import table_of
from bench.machine.environment import cores

if TYPE_CHECKING:
    from systems import Certificate, Check

WIDTHS = (26, 12, 17, 13, 4)  # of the columns of every table, so that they line up, within 80 characters
PASS, FAIL = Text("pass", style="green"), Text("FAIL", style="bold red")


def certifiable(known: Mapping[str, Component]) -> list[str]:
    """The systems that need no arguments: a certificate is of default parameters. Sets of images have none."""
    systems = {name: system for name, system in known.items() if system.kind != "ImageSet"}
    return [name for name, system in systems.items() if all(one.default for one in system.parameters)]


def cases() -> list[str]:
    """The cases that the measuring instruments are tried on."""
    from bench.doctor.cases import CASES

    return [case.name for case in CASES]


def examine(systems: Sequence[str], cases: Sequence[str] = ()) -> Iterator["Certificate"]:
    """The certificates of these systems at their default parameters, then of these cases, in order, on all cores."""
    jobs = [*((_certificate, name) for name in systems), *((_conformance, name) for name in cases)]
    workers = min(len(jobs), cores())
    if workers < 2:
        yield from map(_done, jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as pool:
        yield from pool.map(_done, jobs)


def table(certificate: "Certificate") -> RenderableType:
    """One row for each check: value, expectation, source, verdict."""
    rows = table_of(certificate.system, "value", "expected", "source", "")
    for column, width in zip(rows.columns, WIDTHS, strict=True):
        column.width = width
    for check in certificate.checks:
        source = Text(check.source, style="dim")
        rows.add_row(Text(check.name), Text(_shown(check.value)), expectation(check), source, _verdict(check))
    return Group(rows, "")


def expectation(check: "Check") -> Text:
    """What a value is compared with, in a few characters."""
    if isinstance(check.expected, str):
        return Text(check.expected)
    if check.kind == "at least":
        return Text(f">= {check.expected:g}")
    if check.tolerance == 0:
        return Text(f"{check.expected:g}")
    if check.expected == 0:
        return Text(f"< {check.tolerance:.2g}")
    return Text(f"{check.expected:.6g} ± {check.tolerance:.2g}")


def as_json(systems: Sequence["Certificate"], cases: Sequence["Certificate"] = ()) -> str:
    """All that was examined as one JSON object; numbers that are not finite become null."""
    found = {
        "passed": all(one.passed for one in (*systems, *cases)),
        "systems": [{"system": one.system} | _entries(one) for one in systems],
        "instruments": [{"case": one.system} | _entries(one) for one in cases],
    }
    return json.dumps(found, indent=2)


def _entries(certificate: "Certificate") -> dict[str, Any]:
    return {"passed": certificate.passed, "checks": [_plain(check) for check in certificate.checks]}


def _plain(check: "Check") -> Mapping[str, Any]:
    entries = asdict(check) | {"passed": check.passed}
    return {
        name: None if isinstance(value, float) and not isfinite(value) else value for name, value in entries.items()
    }


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}" if abs(value) >= 1e-3 else f"{value:.2g}"


def _verdict(check: "Check") -> Text:
    return PASS if check.passed else FAIL


def _certificate(name: str) -> "Certificate":
    """Of a system at its defaults, followed by what is known of it at other parameters."""
    import systems
    from systems.certificates.published import certified

    first, *others = (systems.certify(system) for system in certified(getattr(systems, name)))
    more = [
        replace(check, name=f"{check.name} {one.system.removeprefix(name)}") for one in others for check in one.checks
    ]
    return replace(first, checks=(*first.checks, *more))


def _conformance(name: str) -> "Certificate":
    from bench.doctor.cases import CASES

    return next(case for case in CASES if case.name == name).certificate()


def _done(job: tuple[Callable[[str], "Certificate"], str]) -> "Certificate":
    examine_one, name = job
    return examine_one(name)


def _one_thread() -> None:
    """Workers share the cores; more threads than that slow all of them."""
    import torch

    torch.set_num_threads(1)
