"""The compiled kernel that trains perceptrons on the CPU: losses with their gradients, the clip of these, and Adam.

It is compiled as this module is imported, once on a machine: numba keeps the result beside the source, or in the user's
cache.
"""

from typing import Any

import numpy as np
from numba import types

from learners.solvers import arithmetic, blocks
from learners.solvers.arithmetic import OPTIONS, ROWS, ZERO, F
from learners.solvers.blocks import BlockPlan, differentiate_block, remember, turn
from systems.solvers.compiling import cached, digest


def _entry(sources: str) -> Any:
    """The function `differentiate`. Numba files it under what it closes over, too: here, all that it was made from."""

    def differentiate(plan, segments, weights, gradients, losses):
        """Fill in the gradients and losses of all replicas on `segments`; returns the bytes that this takes."""
        _ = sources
        batch = segments.shape[1]
        count = segments.shape[2] - 1
        memory = remember(plan, count * plan.networks)
        parts = -(-batch // plan.rows)
        rows = -(-batch // (parts * ROWS)) * ROWS
        for seed in range(len(segments)):
            own = weights[seed]
            gradient = gradients[seed]
            loss = 0.0
            gradient[:] = ZERO
            for begin in range(0, len(own), plan.offsets[-1]):
                turn(plan, own[begin:], memory.turned[begin:])
            for begin in range(0, batch, rows):
                part = segments[seed, begin : min(begin + rows, batch)]
                loss += differentiate_block(plan, memory, own, gradient, part, F(2 / (batch * count)))
            losses[seed] = loss / (batch * count)
        size = memory.states.size + memory.slopes.size + memory.pulled.size
        return 4 * (size + memory.hidden.size + memory.derivatives.size + memory.turned.size)

    return differentiate


def _descend(weights, gradients, means, squares, largest, rate, count):
    """Clip the gradient of each replica and take a step of Adam, the one after `count` others."""
    fast, root = F(rate / (1 - 0.9 ** (count + 1))), F(1 / np.sqrt(1 - 0.999 ** (count + 1)))
    for seed in range(len(weights)):
        weight, gradient, mean, square = weights[seed], gradients[seed], means[seed], squares[seed]
        total = ZERO
        for i in range(len(gradient)):
            total += gradient[i] * gradient[i]
        norm = np.sqrt(total)
        factor = F(1) if norm <= largest else F(largest) / norm
        for i in range(len(weight)):
            clipped = factor * gradient[i]
            mean[i] += F(0.1) * (clipped - mean[i])
            square[i] = F(0.999) * square[i] + F(0.001) * clipped * clipped
            weight[i] -= fast * mean[i] / (np.sqrt(square[i]) * root + F(1e-8))


_numbers, _arrays, _whole = types.float32[::1], types.float32[:, ::1], types.int64
PLAN = types.NamedTuple(
    (
        *(types.int64[::1], types.int64[::1], _whole, _whole, _arrays, _arrays),
        *(_numbers, _numbers, types.float32, _numbers, _whole, _whole),
    ),
    BlockPlan,
)
differentiate = cached(
    _entry(digest(__file__, blocks.__file__, arithmetic.__file__)),
    types.int64(PLAN, types.float32[:, :, :, ::1], _arrays, _arrays, _numbers),
    **OPTIONS,
)
descend = cached(
    _descend,
    types.void(_arrays, _arrays, _arrays, _arrays, types.float64, types.float64, types.int64),
    **OPTIONS,
)
