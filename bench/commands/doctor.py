"""`python -m bench doctor`: systems held to theory, published values and committed data."""

import sys

from bench.errors import CHECK_FAILED, unknown
from bench.options import AsJson, Patients


def doctor(systems: Patients = None, as_json: AsJson = False) -> int:
    """Certify systems: hold them to theory, published values and committed data.

    Ends with exit code 1 where a check fails.
    """
    from rich.console import Console

    from bench import catalogue, doctor

    known = catalogue.components("systems")
    for name in systems or ():
        if name not in known:
            raise unknown("system", name, known)
    console, found = Console(highlight=False), []
    for certificate in doctor.examine(list(dict.fromkeys(systems or doctor.certifiable(known)))):
        found.append(certificate)
        if not as_json:
            console.print(doctor.table(certificate))
    failed = [certificate.system for certificate in found if not certificate.passed]
    if as_json:
        sys.stdout.write(doctor.as_json(found) + "\n")
    else:
        verdict = f"failed: {', '.join(failed)}" if failed else "all passed"
        console.print(f"{len(found)} certified, {verdict}", markup=False)
    return CHECK_FAILED if failed else 0
