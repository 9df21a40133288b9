"""What `python -m bench doctor` runs and prints: the certificates of systems, side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from math import isfinite
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from bench.catalogue import Component
from bench.display import table_of
from bench.environment import cores

if TYPE_CHECKING:
    from systems import Certificate, Check

WIDTHS = (26, 12, 17, 13, 4)  # of the columns of every table, so that they line up, within 80 characters
PASS, FAIL = Text("pass", style="green"), Text("FAIL", style="bold red")


def certifiable(known: Mapping[str, Component]) -> list[str]:
    """The systems that need no arguments: a certificate is of default parameters."""
    return [name for name, system in known.items() if all(one.default for one in system.parameters)]


def examine(names: Sequence[str]) -> Iterator["Certificate"]:
    """The certificates of these systems at their default parameters, in this order, on all cores."""
    workers = min(len(names), cores())
    if workers < 2:
        yield from map(_certificate, names)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as pool:
        yield from pool.map(_certificate, names)


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
    if check.expected == 0:
        return Text(f"< {check.tolerance:.2g}")
    return Text(f"{check.expected:.6g} ± {check.tolerance:.2g}")


def as_json(certificates: Sequence["Certificate"]) -> str:
    """All certificates as one JSON object; numbers that are not finite become null."""
    systems = [
        {"system": one.system, "passed": one.passed, "checks": [_plain(check) for check in one.checks]}
        for one in certificates
    ]
    return json.dumps({"passed": all(one.passed for one in certificates), "systems": systems}, indent=2)


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
    import systems

    return systems.certify(getattr(systems, name)())


def _one_thread() -> None:
    """Workers share the cores; more threads than that slow all of them."""
    import torch

    torch.set_num_threads(1)
