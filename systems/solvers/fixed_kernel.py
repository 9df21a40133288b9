"""The steps of `fixed.rk4` in compiled code, in single or double precision, of velocities that are programs.

It is compiled as this module is imported, once on a machine. Numbers are those of the eager steps to rounding.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numba import types
from torch import Tensor

from systems.solvers import program_kernel
from systems.solvers.compiling import cached, digest
from systems.solvers.program_kernel import OPTIONS, PROGRAM, evaluate
from systems.solvers.tracing import Program

WIDTH = 64  # states side by side


def steps(program: Program, x: Float[Tensor, "batch dim"], interval: float, count: int) -> Float[Tensor, "batch dim"]:
    """The states an interval later by so many steps, in the precision of `x`."""
    states = x.numpy(force=True).copy()
    h = interval / count
    coefficients = np.array([h / 3, 2 * h / 3, h, h / 8, 3 * h / 8], states.dtype)
    (_single if states.dtype == np.float32 else _double)(program, states, coefficients, count)
    return torch.from_numpy(states)


def _entry(sources: str) -> Any:
    """The function `advance`. Numba files it under what it closes over, too: here, all that it was made from."""

    def advance(program, states, coefficients, count):
        """Take states `[batch, dim]` on by so many steps, in place: blocks of them, a column for each."""
        _ = sources
        third, two_thirds, whole, eighth, three_eighths = coefficients
        rows, dim = states.shape
        size = dim * WIDTH
        values = np.zeros((program.registers, WIDTH), states.dtype)
        for place in range(len(program.constants)):
            values[dim + 1 + place] = program.constants[place]
        flat, clock = values.reshape(-1)[:size], values[dim]  # the states in the first registers, and their times
        old, one, two = np.zeros(size, states.dtype), np.zeros(size, states.dtype), np.zeros(size, states.dtype)
        three, four = np.zeros(size, states.dtype), np.zeros(size, states.dtype)
        for begin in range(0, rows, WIDTH):
            lanes = min(WIDTH, rows - begin)
            for lane in range(lanes):
                for place in range(dim):
                    old[place * WIDTH + lane] = states[begin + lane, place]
            for _ in range(count):
                clock[:] = 0
                flat[:] = old
                evaluate(program, values, one)
                clock[:] = third
                for i in range(size):
                    flat[i] = old[i] + third * one[i]
                evaluate(program, values, two)
                clock[:] = two_thirds
                for i in range(size):
                    flat[i] = old[i] + (whole * two[i] - third * one[i])
                evaluate(program, values, three)
                clock[:] = whole
                for i in range(size):
                    flat[i] = old[i] + whole * (one[i] - two[i] + three[i])
                evaluate(program, values, four)
                for i in range(size):
                    old[i] += eighth * (one[i] + four[i]) + three_eighths * (two[i] + three[i])
            for lane in range(lanes):
                for place in range(dim):
                    states[begin + lane, place] = old[place * WIDTH + lane]

    return advance


def _compiled(real: Any) -> Any:
    files = __file__, program_kernel.__file__
    return cached(_entry(digest(*files)), types.void(PROGRAM, real[:, ::1], real[::1], types.int64), **OPTIONS)


_single, _double = _compiled(types.float32), _compiled(types.float64)
