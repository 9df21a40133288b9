"""Compiled functions come from the disk, and are compiled where there is none to keep them on."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import njit, types

from learners.solvers.arithmetic import OPTIONS, activate
from systems.solvers.compiling import cached
from systems.solvers.program_kernel import PROGRAM, evaluate

ROOT = Path(__file__).parents[3]
FIT = """
import hashlib
from dataclasses import replace
from learners import {learner} as learner
from systems import Lorenz, Sampling, sample
sampling = Sampling(samples=400, valid=1, test=1, horizon=1.0, climate=1, climate_horizon=1.0)
chosen = learner()
chosen = replace(chosen, training=replace(chosen.training, updates=100))
weights = chosen.fit(sample(Lorenz(), sampling, 0)).weights()
print(hashlib.sha256(b"".join(values.detach().numpy().tobytes() for values in weights.values())).hexdigest())
"""


def test_where_nothing_can_be_kept_functions_are_compiled_all_the_same(capsys: pytest.CaptureFixture[str]):
    defined: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", defined)  # as it has no file, numba finds no folder to keep it in
    ready = cached(defined["double"], types.float64(types.float64))
    assert ready(1.5) == 3
    said = r"double was compiled in \d+ s, but could not be kept \(cannot cache function 'double'"
    assert re.match(said, capsys.readouterr().err)


@pytest.mark.slow
def test_what_is_kept_of_types_that_there_are_no_more_is_compiled_anew(tmp_path: Path):
    types_of = """
from typing import NamedTuple
from numba import types
class {0}(NamedTuple):
    one: float
    other: float
PAIR = types.NamedTuple((types.float64, types.float64), {0})
"""
    kernel = """
from numba import types
from pairs import PAIR
from systems.solvers.compiling import cached
def total(pair):
    return pair.one + pair.other
total = cached(total, types.float64(PAIR))
"""
    (tmp_path / "kernel.py").write_text(kernel)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}

    def said(name: str) -> str:
        (tmp_path / "pairs.py").write_text(types_of.format(name))
        command = [sys.executable, "-B", "-c", "import kernel"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr

    assert "and kept in" in said("Before")
    assert said("Before") == ""
    assert "and kept in" in said("Since")
    assert said("Since") == ""


def _twice_activations(values, slopes, which):
    activate(which, values, slopes, 0, 16, 4, 16)
    activate(which, values, slopes, 64, 16, 4, 16)


def _twice_programs(program, values, slope):
    evaluate(program, values, slope)
    evaluate(program, values, slope)


_row, _table = types.float32[::1], types.float64[:, ::1]


@pytest.mark.parametrize(
    ("function", "signature"),
    [(_twice_activations, (_row, _row, types.int64)), (_twice_programs, (PROGRAM, _table, types.float64[::1]))],
)
def test_no_function_within_a_kernel_has_a_name_that_another_could_take_the_place_of(function: Any, signature: Any):
    (code,) = njit(types.void(*signature), **OPTIONS)(function).inspect_asm().values()
    assert function.__name__ in code
    assert not re.findall(r"\.weak\s+(_ZN\d+(?:learners|systems)\S*)", code)


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["NeuralODE", "PLRNN", "RKNet", "WindowedRNN"])
def test_who_compiles_and_who_loads_train_to_the_same_bytes(learner: str, tmp_path: Path):
    def fitted() -> tuple[str, bool]:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", FIT.format(learner=learner)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return ended.stdout, "was compiled" in ended.stderr

    (weights, compiled), (again, compiled_again) = fitted(), fitted()
    assert (compiled, compiled_again) == (True, False)
    assert weights == again
