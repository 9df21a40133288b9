"""Steps of `ETDRK4` of a squared field in compiled code, in single or double precision.

It is compiled as this module is imported, once on a machine. Modes of the square are sums of products of modes, which
of a few dozen costs less than two transforms, adds no alias, and gives the same numbers on every machine.
"""

from typing import Any

import numpy as np
import torch
from numba import types

from systems.solvers import program_kernel
from systems.solvers.compiling import cached, digest
from systems.solvers.etdrk4 import ETDRK4, Modes
from systems.solvers.program_kernel import OPTIONS, inner

WIDTH = 16  # states side by side
PRECISIONS = {torch.complex64: np.float32, torch.complex128: np.float64}


def steps(modes: Modes, scheme: ETDRK4, count: int, grid: int) -> Modes:
    """The modes `[*batch, modes]` so many steps later; their squares are those of a field at so many points."""
    real = PRECISIONS[modes.dtype]
    parts = torch.view_as_real(modes.detach())
    states = np.ascontiguousarray(parts.flatten(0, -3).numpy(force=True))
    carried = [scheme.half, scheme.whole]
    forced = [each.imag / grid for each in (scheme.stage, scheme.first, scheme.middle, scheme.last)]
    shape = (*modes.shape[:-1], -1) if scheme.half.dim() > 1 else (-1,)
    rows = [each.expand(*shape).reshape(-1, modes.shape[-1]).numpy(force=True) for each in (*carried, *forced)]
    ends = (_single if real == np.float32 else _double)(states, np.stack(rows).astype(real), count)
    return torch.view_as_complex(torch.from_numpy(ends)).reshape(modes.shape)


@inner
def _square(v, out):
    """Modes of the squared field, times the number of its points; but for its mean, which drives nothing.

    A row for each mode: the real parts of the states side by side, then the imaginary ones.
    """
    count = len(v)
    for mode in range(1, count):
        total = out[mode]
        total[:] = 0
        for one in range((mode + 1) // 2):
            p, q = v[one], v[mode - one]
            for i in range(WIDTH):
                total[i] += p[i] * q[i] - p[WIDTH + i] * q[WIDTH + i]
                total[WIDTH + i] += p[i] * q[WIDTH + i] + p[WIDTH + i] * q[i]
        for one in range(mode + 1, count):
            p, q = v[one], v[one - mode]
            for i in range(WIDTH):
                total[i] += p[i] * q[i] + p[WIDTH + i] * q[WIDTH + i]
                total[WIDTH + i] += p[WIDTH + i] * q[i] - p[i] * q[WIDTH + i]
        for i in range(2 * WIDTH):
            total[i] += total[i]
        if mode % 2 == 0:
            p = v[mode // 2]
            for i in range(WIDTH):
                total[i] += (p[i] - p[WIDTH + i]) * (p[i] + p[WIDTH + i])
                total[WIDTH + i] += p[i] * p[WIDTH + i] + p[i] * p[WIDTH + i]


@inner
def _scale(out, weight, v):
    """Weights times modes."""
    for mode in range(len(v)):
        w, x, y = weight[mode], v[mode], out[mode]
        for i in range(WIDTH):
            y[i] = w[i] * x[i]
            y[WIDTH + i] = w[i] * x[WIDTH + i]


@inner
def _drive(out, base, weight, v):
    """A base and i times weights times modes. `out` is another array than the base, or else it takes twice as long."""
    for mode in range(len(v)):
        b, w, x, y = base[mode], weight[mode], v[mode], out[mode]
        for i in range(WIDTH):
            y[i] = b[i] - w[i] * x[WIDTH + i]
            y[WIDTH + i] = b[WIDTH + i] + w[i] * x[i]


@inner
def _combine(out, one, v, two, w):
    """A multiple of modes and one of others."""
    for mode in range(len(v)):
        x, y, z = v[mode], w[mode], out[mode]
        for i in range(2 * WIDTH):
            z[i] = one * x[i] + two * y[i]


def _entry(sources: str) -> Any:
    """The function `advance`. Numba files it under what it closes over, too: here, all that it was made from."""

    def advance(states, coefficients, count):
        """States `[batch, modes, 2]` so many steps later; coefficients `[6, 1 or batch, modes]`, four of them of i."""
        _ = sources
        rows, modes = states.shape[:2]
        ends = np.empty_like(states)
        shared = coefficients.shape[1] == 1
        block = np.zeros((6, modes, WIDTH), states.dtype)
        half, whole, stage, first, middle, last = block[0], block[1], block[2], block[3], block[4], block[5]
        one, two = np.array([1.0, 2.0], np.float64).astype(states.dtype)
        work = np.zeros((7, modes, 2 * WIDTH), states.dtype)
        v, a, b, carried, slope, of_a, of_b = work[0], work[1], work[2], work[3], work[4], work[5], work[6]
        for begin in range(0, rows, WIDTH):
            lanes = min(WIDTH, rows - begin)
            for mode in range(modes):
                for lane in range(lanes):
                    v[mode, lane], v[mode, WIDTH + lane] = states[begin + lane, mode]
                for which in range(6):
                    for lane in range(lanes):
                        block[which, mode, lane] = coefficients[which, 0 if shared else begin + lane, mode]
            for _ in range(count):
                _scale(carried, half, v)
                _square(v, slope)
                _drive(a, carried, stage, slope)
                _square(a, of_a)
                _drive(b, carried, stage, of_a)
                _square(b, of_b)
                _scale(carried, half, a)
                _combine(a, two, of_b, -one, slope)
                _drive(b, carried, stage, a)
                _combine(a, one, of_a, one, of_b)
                _square(b, of_b)
                _scale(carried, whole, v)
                _drive(b, carried, first, slope)
                _drive(carried, b, middle, a)
                _drive(v, carried, last, of_b)
            for lane in range(lanes):
                for mode in range(modes):
                    ends[begin + lane, mode, 0], ends[begin + lane, mode, 1] = v[mode, lane], v[mode, WIDTH + lane]
        return ends

    return advance


def _compiled(real: Any) -> Any:
    states = real[:, :, ::1]
    return cached(_entry(digest(__file__, program_kernel.__file__)), states(states, states, types.int64), **OPTIONS)


_single, _double = _compiled(types.float32), _compiled(types.float64)
