"""Compiled functions come from the disk, and are compiled where there is none to keep them on."""

import re
from typing import Any

import pytest
from numba import types

from systems.solvers.compiling import cached


def test_where_nothing_can_be_kept_functions_are_compiled_all_the_same(capsys: pytest.CaptureFixture[str]):
    defined: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", defined)  # as it has no file, numba finds no folder to keep it in
    ready = cached(defined["double"], types.float64(types.float64))
    assert ready(1.5) == 3
    said = r"double was compiled in \d+ s, but could not be kept \(cannot cache function 'double'"
    assert re.match(said, capsys.readouterr().err)
