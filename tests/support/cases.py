"""Cases of a test, of which quick runs take a few."""

from collections.abc import Iterable
from typing import Any

import pytest


def few(cases: Iterable[Any], *quick: int) -> list[Any]:
    """The cases of a parameter: those at the places `quick` run always, the others in slow runs alone.

    Cases of several parameters are tuples.
    """
    return [case if place in quick else _slow(case) for place, case in enumerate(cases)]


def _slow(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
