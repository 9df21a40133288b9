"""Steps that an embedded pair attempts with a whole batch of a perceptron's states, their way back, and the adjoint's.

Compiled as this module is imported, as `kernel` is.
"""

from typing import Any

import numpy as np
from numba import types

from learners.solvers import arithmetic, blocks
from learners.solvers.arithmetic import LANES, ONE, OPTIONS, ZERO, F, combine, compiled, inlined
from learners.solvers.blocks import NARROW, Memory, evaluate, learn, pull_back, remember, row, turn
from learners.solvers.kernel import PLAN
from systems.solvers.compiling import cached, digest

_row = inlined(row)


@compiled
def _add(out, factor, terms):
    for i in range(len(out)):
        out[i] += factor * terms[i]


@compiled
def _tolerated(error, tolerance, old, new):
    """The sum of squared errors in tolerances."""
    total = ZERO
    for i in range(len(error)):
        part = error[i] / (tolerance * (ONE + max(abs(old[i]), abs(new[i]))))
        total += part * part
    return total


@compiled
def _tolerated_weights(plan, layer, error, tolerance, old, new):
    """The sums of squared errors of the weights and of the biases of a layer."""
    inputs = plan.sizes[layer - 1]
    outputs = plan.sizes[layer]
    weights = ZERO
    biases = ZERO
    transposed = outputs == NARROW
    width = inputs + LANES if transposed else outputs
    for begin in range(0, len(error), width):
        part = slice(begin, begin + width)
        if transposed:
            bias = slice(begin + inputs, begin + inputs + 1)
            own = _tolerated(error[bias], tolerance, old[bias], new[bias])
            weights += _tolerated(error[part], tolerance, old[part], new[part]) - own
            biases += own
        elif begin == inputs * width:
            biases += _tolerated(error[part], tolerance, old[part], new[part])
        else:
            weights += _tolerated(error[part], tolerance, old[part], new[part])
    return weights, biases


def _entries(sources: str) -> tuple[Any, ...]:
    """The functions that Python calls. Numba files them under what they close over, too: what they were made from."""

    def attempt(plan, memory, weights, table, first, tolerance):
        """Fill in the stages of a step from `first` on and the state behind it; the sum of squares of its errors.

        Rows of the table: for each stage, for the state behind the step, and for its error, counted in tolerances.
        """
        _ = sources
        stages = len(plan.tableau) - 1
        size = plan.rows * _row(plan.sizes[0])
        states, slopes = memory.states, memory.slopes
        for stage in range(first, stages):
            if stage:
                combine(states, stage * size, table, stage, slopes, size)
            evaluate(plan, memory, weights, stage, stage * size, 0, plan.rows)
        combine(states, stages * size, table, stages, slopes, size)
        combine(memory.pulled, 0, table, stages + 1, slopes, size)
        old, new = slopes[stages * size : (stages + 1) * size], states[stages * size : (stages + 1) * size]
        return _tolerated(memory.pulled[:size], tolerance, old, new)

    def take_back(plan, memory, weights, gradients, table, first, last):
        """From gradients of slopes, by what comes after the step, to those of the stages' states and of the weights.

        Evaluations from `first` to before `last` count. Of an earlier one, the gradient of its slopes is completed.
        """
        _ = sources
        size = plan.rows * _row(plan.sizes[0])
        slopes = memory.slopes
        turn(plan, weights, memory.turned)
        for stage in range(last - 1, -1, -1):
            for later in range(max(stage + 1, first), last):
                if table[later, stage] != ZERO:
                    pulled = memory.pulled[later * size : (later + 1) * size]
                    _add(slopes[stage * size : (stage + 1) * size], table[later, stage], pulled)
            if stage >= first:
                pull_back(plan, memory, weights, memory.turned, stage, 0, plan.rows, True)
        learn(plan, memory, gradients, 0, 0, plan.rows, first, last - first)

    def attempt_adjoint(plan, memory, weights, table, first, tolerance, old, new, slopes, errors):
        """As `attempt`, back in time, of a row of numbers: the states, their gradients, and those of the weights.

        Args:
            memory: for one stage.
            old: the row before the step.
            new: and behind it, to be filled in.
            slopes: of the row, from stage `first` on to be filled in.
            errors: sums of squares: of states, of gradients, of weights and biases of the layers in turns.
        """
        _ = sources
        stages = len(slopes)
        size = plan.rows * _row(plan.sizes[0])
        error = np.zeros(len(old), F)
        if first == 0:
            turn(plan, weights, memory.turned)
        for stage in range(first, stages):
            new[: 2 * size] = old[: 2 * size]
            for before in range(stage):
                if table[stage, before] != ZERO:
                    _add(new[: 2 * size], table[stage, before], slopes[before, : 2 * size])
            own = slopes[stage]
            memory.states[:size] = new[:size]
            evaluate(plan, memory, weights, 0, 0, 0, plan.rows)
            own[:] = ZERO
            _add(own[:size], F(-1), memory.slopes[:size])
            memory.slopes[:size] = new[size : 2 * size]
            pull_back(plan, memory, weights, memory.turned, 0, 0, plan.rows, True)
            own[size : 2 * size] = memory.pulled[:size]
            learn(plan, memory, own[2 * size :], 0, 0, plan.rows, 0, 1)
        new[:] = old
        for stage in range(stages):
            _add(new, table[stages, stage], slopes[stage])
            _add(error, table[stages + 1, stage], slopes[stage])
        for place in range(2):
            part = slice(place * size, (place + 1) * size)
            errors[place] = _tolerated(error[part], tolerance, old[part], new[part])
        for layer in range(1, len(plan.sizes)):
            part = slice(2 * size + plan.offsets[layer - 1], 2 * size + plan.offsets[layer])
            found = _tolerated_weights(plan, layer, error[part], tolerance, old[part], new[part])
            errors[2 * layer], errors[2 * layer + 1] = found

    def reserve(plan):
        """Memory for one step."""
        _ = sources
        return remember(plan, 1)

    return attempt, take_back, attempt_adjoint, reserve


_sources = digest(__file__, blocks.__file__, arithmetic.__file__)
_attempt, _take_back, _attempt_adjoint, _reserve = _entries(_sources)
_numbers, _table, _whole, _single = types.float32[::1], types.float32[:, ::1], types.int64, types.float32
_memory = types.NamedUniTuple(_numbers, len(Memory._fields), Memory)
_back = types.void(PLAN, _memory, _numbers, _numbers, _table, _whole, _whole)
_adjoint = types.void(PLAN, _memory, _numbers, _table, _whole, _single, _numbers, _numbers, _table, _numbers)
attempt = cached(_attempt, _single(PLAN, _memory, _numbers, _table, _whole, _single), **OPTIONS)
take_back = cached(_take_back, _back, **OPTIONS)
attempt_adjoint = cached(_attempt_adjoint, _adjoint, **OPTIONS)
reserve = cached(_reserve, _memory(PLAN), **OPTIONS)
