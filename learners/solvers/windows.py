"""Windows of states that a recurrent cell reads, their gradients, and forecasts from them, in blocks of rows.

Compiled as this module is imported, as `kernel` is. A block goes through its whole window and back. The samples of a
window lie one after the other, and in each of them the rows of the block.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types

from learners.solvers import arithmetic, gates
from learners.solvers.arithmetic import (
    LANES,
    ONE,
    OPTIONS,
    ROWS,
    ZERO,
    F,
    add_product,
    compiled,
    product,
    transpose,
)
from learners.solvers.gates import pull_elman, pull_gru, pull_lstm, read_elman, read_gru, read_lstm
from systems.solvers.compiling import cached, digest

ELMAN, GRU, LSTM = 0, 1, 2  # cells


class WindowPlan(NamedTuple):
    """What reads windows, and in which blocks.

    Four kinds of weights lie one after the other: of the inputs [row of inputs, gates], of the hidden state
    [hidden, gates], the bias of a GRU's new gate [hidden], and of the readout [hidden + 4, outputs]. Behind the inputs
    and behind the hidden state comes the constant 1, whose weights are biases, and then zeros.
    """

    cell: int  # ELMAN, GRU or LSTM
    window: int  # samples
    inputs: int
    inputs_row: int  # numbers from one state to the next
    hidden: int  # a multiple of LANES
    gates: int  # of all units
    outputs: int  # a multiple of LANES, of which the first are as many as inputs
    offsets: Any  # of the kinds of weights, and behind them all: int64
    increment: Any  # [inputs]: by which outputs are multiplied
    importance: Any  # [inputs]: factors of errors, the sum of whose squares is the loss of one window
    rows: int  # of a block, at the most


class WindowMemory(NamedTuple):
    """What is computed for one block."""

    inputs: Any
    given: Any  # to the gates by the inputs; on the way back, the gradient of that
    gates: Any  # on the way back, the gradient of what the hidden state gives to them
    cells: Any  # of an LSTM; of a GRU, what its new gate takes of the hidden state
    squashed: Any  # hyperbolic tangents of an LSTM's cells
    hidden: Any
    pulled: Any  # gradients of the hidden state
    carried: Any  # gradients of an LSTM's cells
    outputs: Any  # on the way back, gradients of them
    turned: Any  # weights of the hidden state and of the readout, transposed
    zeros: Any  # [hidden]: the state before a window


@compiled
def _remember(plan):
    count = plan.window * plan.rows
    width = plan.hidden + LANES
    inputs, hidden = np.zeros(count * plan.inputs_row, F), np.zeros(count * width, F)
    inputs[plan.inputs :: plan.inputs_row] = ONE
    hidden[plan.hidden :: width] = ONE
    given, gates = np.zeros(count * plan.gates, F), np.zeros(count * plan.gates, F)
    cells, squashed = np.zeros(count * plan.hidden, F), np.zeros(count * plan.hidden, F)
    pulled, carried = np.zeros(plan.rows * plan.hidden, F), np.zeros(plan.rows * plan.hidden, F)
    outputs, turned = np.zeros(plan.rows * plan.outputs, F), np.zeros(plan.hidden * (plan.gates + plan.outputs), F)
    zeros = np.zeros(plan.hidden, F)
    return WindowMemory(inputs, given, gates, cells, squashed, hidden, pulled, carried, outputs, turned, zeros)


@compiled
def _embed(plan, memory, weights, place, count):
    """What so many rows of the inputs, from one on, give to the gates."""
    gates, inputs, width = plan.gates, memory.inputs, plan.inputs_row
    at = place * width
    to = place * gates
    depth = plan.inputs + 1
    product(memory.given, to, gates, inputs, at, width, 1, weights, plan.offsets[0], gates, count, depth, gates)


@compiled
def _read(plan, memory, weights, first, rows):
    """The outputs of a window, whose first sample lies at a place of the inputs, which are a ring of samples."""
    hidden = plan.hidden
    gates = plan.gates
    width = plan.hidden + LANES
    outputs = plan.outputs
    states = memory.hidden
    own = memory.gates
    bias = weights[plan.offsets[2] :]
    begin = plan.offsets[1]
    own[: rows * gates] = ZERO
    for t in range(plan.window):
        at = t * rows
        ring = (first + t) % plan.window * rows
        if t:
            before = (at - rows) * width
            product(own, at * gates, gates, states, before, width, 1, weights, begin, gates, rows, hidden, gates)
        for row in range(at, at + rows):
            given = memory.given[(ring + row - at) * gates :]
            gate = own[row * gates :]
            h = states[row * width :]
            cell = memory.cells[row * hidden :]
            squashed = memory.squashed[row * hidden :]
            if plan.cell == ELMAN:
                read_elman(h, given, gate, hidden)
            elif plan.cell == GRU:
                before = states[(row - rows) * width :] if t else memory.zeros
                read_gru(h, before, given, gate, cell, bias, hidden)
            else:
                before = memory.cells[(row - rows) * hidden :] if t else memory.zeros
                read_lstm(h, before, given, gate, cell, squashed, hidden)
    last = (plan.window - 1) * rows * width
    begin = plan.offsets[3]
    depth = hidden + 1
    product(memory.outputs, 0, outputs, states, last, width, 1, weights, begin, outputs, rows, depth, outputs)


@compiled
def _pull_back(plan, memory, weights, gradients, rows):
    """Add to the gradients of the weights what those of the outputs give."""
    hidden = plan.hidden
    gates = plan.gates
    width = plan.hidden + LANES
    outputs = plan.outputs
    window = plan.window
    states, own, pulled, turned = memory.hidden, memory.gates, memory.pulled, memory.turned
    bias = gradients[plan.offsets[2] :]
    to = plan.offsets[3]
    last = (window - 1) * rows * width
    depth = hidden + ROWS
    add_product(gradients, to, outputs, states, last, 1, width, memory.outputs, 0, outputs, depth, rows, outputs)
    begin = hidden * gates
    product(pulled, 0, hidden, memory.outputs, 0, outputs, 1, turned, begin, hidden, rows, plan.inputs, hidden)
    memory.carried[:] = ZERO
    for t in range(window - 1, -1, -1):
        at = t * rows
        for i in range(rows):
            row = at + i
            given = memory.given[row * gates :]
            gate = own[row * gates :]
            pull = pulled[i * hidden :]
            if plan.cell == ELMAN:
                pull_elman(states[row * width :], given, gate, pull, hidden)
            elif plan.cell == GRU:
                before = states[(row - rows) * width :] if t else memory.zeros
                pull_gru(before, given, gate, memory.cells[row * hidden :], bias, pull, hidden)
            else:
                before = memory.cells[(row - rows) * hidden :] if t else memory.zeros
                squashed = memory.squashed
                carried = memory.carried[i * hidden :]
                pull_lstm(before, given, gate, squashed[row * hidden :], carried, pull, hidden)
        if t:
            add_product(pulled, 0, hidden, own, at * gates, gates, 1, turned, 0, hidden, rows, gates, hidden)
    to = plan.offsets[1]
    at = rows * gates
    depth = (window - 1) * rows
    add_product(gradients, to, gates, states, 0, 1, width, own, at, gates, hidden, depth, gates)
    to = plan.offsets[0]
    inputs = memory.inputs
    width = plan.inputs_row
    add_product(gradients, to, gates, inputs, 0, 1, width, memory.given, 0, gates, width, window * rows, gates)


@compiled
def _load(plan, memory, place, states, rows):
    """Put states of one sample at a place of the inputs; the rows behind them are zero."""
    for i in range(rows):
        at = (place * rows + i) * plan.inputs_row
        for channel in range(plan.inputs):
            memory.inputs[at + channel] = states[i, channel] if i < len(states) else ZERO


@compiled
def _compare(plan, memory, segments, weight):
    """The sum of squared errors of a block; the outputs become their gradients, times a weight."""
    loss = 0.0
    for i in range(plan.rows):
        for channel in range(plan.inputs):
            place = i * plan.outputs + channel
            factor = plan.importance[channel]
            if i < len(segments):
                change = segments[i, plan.window, channel] - segments[i, plan.window - 1, channel]
                error = (memory.outputs[place] * plan.increment[channel] - change) * factor
                loss += error * error
                memory.outputs[place] = weight * error * factor * plan.increment[channel]
            else:
                memory.outputs[place] = ZERO
    return loss


def _entries(sources: str) -> tuple[Any, ...]:
    """The functions that Python calls. Numba files them under what they close over, too: what they were made from."""

    def learn(plan, segments, weights, gradients, losses):
        """Fill in the gradients and losses of all replicas on segments, of a window and the sample behind it.

        Returns the bytes that this takes for one replica.
        """
        _ = sources
        memory = _remember(plan)
        batch = segments.shape[1]
        for seed in range(len(segments)):
            own = weights[seed]
            gradient = gradients[seed]
            loss = 0.0
            gradient[:] = ZERO
            transpose(memory.turned, 0, own, plan.offsets[1], plan.hidden, plan.gates)
            transpose(memory.turned, plan.hidden * plan.gates, own, plan.offsets[3], plan.hidden, plan.outputs)
            for begin in range(0, batch, plan.rows):
                part = segments[seed, begin : min(begin + plan.rows, batch)]
                for t in range(plan.window):
                    _load(plan, memory, t, part[:, t], plan.rows)
                _embed(plan, memory, own, 0, plan.window * plan.rows)
                _read(plan, memory, own, 0, plan.rows)
                loss += _compare(plan, memory, part, F(2 / batch))
                _pull_back(plan, memory, own, gradient, plan.rows)
            losses[seed] = loss / batch
        kept = memory.inputs.size + memory.given.size + memory.gates.size + memory.cells.size + memory.squashed.size
        return 4 * (kept + memory.hidden.size + 2 * memory.pulled.size + memory.outputs.size + memory.turned.size)

    def predict(plan, weights, series):
        """Fill in the samples behind the first window of each series `[seed, batch, time, inputs]`."""
        _ = sources
        memory = _remember(plan)
        batch = series.shape[1]
        window = plan.window
        for seed in range(len(series)):
            own = weights[seed]
            for begin in range(0, batch, plan.rows):
                part = series[seed, begin : min(begin + plan.rows, batch)]
                rows = -(-len(part) // ROWS) * ROWS
                for t in range(series.shape[2] - 1):
                    _load(plan, memory, t % window, part[:, t], rows)
                    _embed(plan, memory, own, t % window * rows, rows)
                    if t < window - 1:
                        continue
                    _read(plan, memory, own, (t + 1) % window, rows)
                    for i in range(len(part)):
                        for channel in range(plan.inputs):
                            change = memory.outputs[i * plan.outputs + channel] * plan.increment[channel]
                            part[i, t + 1, channel] = part[i, t, channel] + change

    return learn, predict


_learn, _predict = _entries(digest(__file__, gates.__file__, arithmetic.__file__))
_numbers, _rows, _series, _whole = types.float32[::1], types.float32[:, ::1], types.float32[:, :, :, ::1], types.int64
_plan = types.NamedTuple((*[_whole] * 7, types.int64[::1], _numbers, _numbers, _whole), WindowPlan)
learn = cached(_learn, types.int64(_plan, _series, _rows, _rows, _numbers), **OPTIONS)
predict = cached(_predict, types.void(_plan, _rows, _series), **OPTIONS)
