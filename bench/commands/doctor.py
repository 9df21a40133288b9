"""`python -m bench doctor`: systems and measuring instruments, held to theory, published values and committed data."""

import sys

from bench.errors import CHECK_FAILED, UserError, unknown
from bench.options import AsJson, Half, Patients


def doctor(names: Patients = None, half: Half = None, as_json: AsJson = False) -> int:
    """Hold systems to theory, published values and committed data, and measuring instruments to known cases.

    Ends with exit code 1 where a check fails.
    """
    from rich.console import Console

    from bench.doctor import examination as doctor

    systems, cases = _chosen(names, half)
    console, found = Console(highlight=False), []
    for certificate in doctor.examine(systems, cases):
        if not as_json:
            if len(found) == len(systems) and systems:
                console.print("Measuring instruments on known cases\n", style="bold")
            console.print(doctor.table(certificate))
        found.append(certificate)
    failed = [certificate.system for certificate in found if not certificate.passed]
    if as_json:
        sys.stdout.write(doctor.as_json(found[: len(systems)], found[len(systems) :]) + "\n")
    else:
        verdict = f"failed: {', '.join(failed)}" if failed else "all passed"
        console.print(f"{_told(len(systems), 'system')}, {_told(len(cases), 'known case')}: {verdict}", markup=False)
    return CHECK_FAILED if failed else 0


def _chosen(names: list[str] | None, half: bool | None) -> tuple[list[str], list[str]]:
    """The systems and the cases to examine. Raises UserError where a name is that of neither."""
    from bench.catalogue import components as catalogue
    from bench.doctor import examination as doctor

    known = catalogue.components("systems")
    if not names:
        return doctor.certifiable(known) if half is not False else [], doctor.cases() if half is not True else []
    if half is not None:
        raise UserError("--systems and --instruments are for all of them, but some are named: leave the option out")
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in known]
    cases = doctor.cases() if others else []
    for name in others:
        if name not in cases:
            raise unknown("system or case", name, [*known, *cases])
    return [name for name in names if name in known], others


def _told(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count != 1 else "")
