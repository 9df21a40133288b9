"""Velocities that are programs, evaluated in compiled code: IEEE 754's operations one by one, none contracted."""

from typing import Any

from numba import njit, types

from systems.solvers.compiling import WITHIN
from systems.solvers.tracing import ABSOLUTE, ADD, DIVIDE, MULTIPLY, NEGATE, SUBTRACT, Program

OPTIONS: Any = {"error_model": "numpy"}
_MEMBERS = types.float64[::1], types.int64[:, ::1], types.int64[::1], types.int64
PROGRAM: Any = types.NamedTuple(_MEMBERS, Program)

_njit: Any = njit
inner = _njit(**OPTIONS, **WITHIN)  # functions that others call


@inner
def evaluate(program, values, slope):
    """The velocity at the states and times in the first registers."""
    width = values.shape[1]
    for line in range(len(program.lines)):
        operation = program.lines[line, 0]
        left, right = values[program.lines[line, 1]], values[program.lines[line, 2]]
        result = values[program.lines[line, 3]]
        if operation == ADD:
            for i in range(width):
                result[i] = left[i] + right[i]
        elif operation == SUBTRACT:
            for i in range(width):
                result[i] = left[i] - right[i]
        elif operation == MULTIPLY:
            for i in range(width):
                result[i] = left[i] * right[i]
        elif operation == DIVIDE:
            for i in range(width):
                result[i] = left[i] / right[i]
        elif operation == NEGATE:
            for i in range(width):
                result[i] = -left[i]
        elif operation == ABSOLUTE:
            for i in range(width):
                result[i] = abs(left[i])
    for place in range(len(program.outputs)):
        value = values[program.outputs[place]]
        for i in range(width):
            slope[place * width + i] = value[i]
