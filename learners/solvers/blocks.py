"""Rollouts of perceptrons and their gradients, of blocks of rows that stay in the cache; compiled.

A block goes through a whole rollout and back. Every layer sees one unit more, the constant 1, so that biases are rows
of its weights.
"""

from typing import Any, NamedTuple

import numpy as np

from learners.solvers.arithmetic import (
    LANES,
    ROWS,
    ZERO,
    F,
    activate,
    add_product,
    combine,
    compiled,
    inlined,
    multiply_by_product,
    multiply_by_widening_product,
    narrowing_product,
    product,
    transpose,
    widening_product,
)

NARROW = 3  # a state of up to three channels is filled up to three, any other to a multiple of LANES, as all layers are


class BlockPlan(NamedTuple):
    """What is rolled out, and in which blocks. In each sampling step, the networks take a step one after another.

    Weights of a layer are [inputs + 4, outputs], behind the inputs the bias and three rows of zeros; or, into a narrow
    state, [4, inputs + LANES], transposed, with a column of biases. Those of the layers and networks lie in turns.
    """

    sizes: Any  # units of each layer, the state first: int64
    offsets: Any  # of the weights of each layer, and behind them all: int64
    networks: int
    activation: int  # place in arithmetic.ACTIVATIONS
    tableau: Any  # [stages + 1, stages + 1]: what stages, and last the new state, take of slopes and, last, the state
    transposed: Any  # the same, transposed
    increment: Any  # [channels]: by which outputs are multiplied in a sampling step
    increments: Any  # [rows * row of the state]: the same for each row, in the step that is taken
    pace: Any  # what a sampling step adds to the time, the last number of a sample; zero where samples have no time
    importance: Any  # [channels]: factors of errors, the sum of whose squares is the loss of one sample
    rows: int  # of a block, at the most
    slots: int  # steps whose hidden layers are kept; those of earlier ones are computed anew on the way back


class Memory(NamedTuple):
    """What is computed for one block. Hidden layers lie slot by slot, and in these layer by layer, stage by stage."""

    states: Any  # of all stages of all steps, and the last state
    slopes: Any  # of the stages, and the state before them; on the way back, gradients of what the networks return
    pulled: Any  # gradients of the stages' states, and of the state behind them
    hidden: Any
    derivatives: Any  # of hidden layers by what goes into them; on the way back, gradients of that
    turned: Any  # weights, transposed


def row(units: int) -> int:
    """Numbers from one state of so many units to the next: behind these the constant, and zeros."""
    return units + (1 if units == NARROW else ROWS)


def shape(inputs: int, outputs: int) -> tuple[int, int]:
    """Of the weights of a layer."""
    return (ROWS, inputs + LANES) if outputs == NARROW else (row(inputs), outputs)


_row = inlined(row)


@compiled
def _place(plan, slot, layer, stage, rows):
    """Where the units of a hidden layer lie."""
    stages, place, record = len(plan.tableau) - 1, 0, 0
    for other in range(1, len(plan.sizes) - 1):
        if other == layer:
            place = record + stage * rows * (plan.sizes[layer] + LANES)
        record += stages * plan.rows * (plan.sizes[other] + LANES)
    return slot * record + place


@compiled
def _scale(values, at, size, factors):
    part = values[at : at + size]
    for i in range(size):
        part[i] *= factors[i]


@compiled
def _hide(plan, memory, weights, at, slot, stage, rows):
    """Fill the hidden layers of one stage, whose state lies at `at`; returns where the last one lies."""
    below, below_row = memory.states, _row(plan.sizes[0])
    for layer in range(1, len(plan.sizes) - 1):
        to, width, begin = _place(plan, slot, layer, stage, rows), plan.sizes[layer], plan.offsets[layer - 1]
        if layer == 1 and plan.sizes[0] == NARROW:
            widening_product(memory.hidden, to, width + LANES, below, at, weights, begin, width, rows, width)
        else:
            depth = plan.sizes[layer - 1] + 1
            product(
                memory.hidden, to, width + LANES, below, at, below_row, 1, weights, begin, width, rows, depth, width
            )
        activate(plan.activation, memory.hidden, memory.derivatives, to, width + LANES, rows, width)
        below, at, below_row = memory.hidden, to, width + LANES
    return at


@compiled
def evaluate(plan, memory, weights, stage, at, slot, rows):
    """The slopes of one stage, whose state lies at `at`."""
    slopes, hidden, state_row = memory.slopes, memory.hidden, _row(plan.sizes[0])
    outputs, begin, width = plan.sizes[0], plan.offsets[-2], plan.sizes[-2]
    to, top, top_row = stage * rows * state_row, _hide(plan, memory, weights, at, slot, stage, rows), width + LANES
    if outputs == NARROW:
        narrowing_product(slopes, to, hidden, top, top_row, weights, begin, top_row, rows, top_row)
    else:
        product(slopes, to, state_row, hidden, top, top_row, 1, weights, begin, outputs, rows, width + 1, outputs)
    _scale(slopes, to, rows * state_row, plan.increments)


@compiled
def go_forth(plan, memory, weights, at, slot, rows):
    """One step, from the state at `at` by way of its stages, which lie behind it, to the next state, behind these."""
    states, slopes = memory.states, memory.slopes
    stages, size = len(plan.tableau) - 1, rows * _row(plan.sizes[0])
    state, copy = states[at : at + size], slopes[stages * size : (stages + 1) * size]
    for i in range(size):
        copy[i] = state[i]
    for stage in range(stages):
        if stage:
            combine(states, at + stage * size, plan.tableau, stage, slopes, size)
        evaluate(plan, memory, weights, stage, at + stage * size, slot, rows)
    combine(states, at + stages * size, plan.tableau, stages, slopes, size)


@compiled
def pull_back(plan, memory, weights, turned, stage, slot, rows, needed):
    """From the gradient of a stage's slopes to those of what goes into each layer, and of its state where needed."""
    slopes, pulled, derivatives, state_row = memory.slopes, memory.pulled, memory.derivatives, _row(plan.sizes[0])
    inputs, top, size = plan.sizes[0], len(plan.sizes) - 1, rows * state_row
    above, at, above_row = slopes, stage * size, state_row
    _scale(slopes, at, size, plan.increments)
    for layer in range(top - 1, 0, -1):
        to, width, begin = _place(plan, slot, layer, stage, rows), plan.sizes[layer], plan.offsets[layer]
        to_row, depth = width + LANES, plan.sizes[layer + 1]
        if depth == NARROW:
            multiply_by_widening_product(derivatives, to, to_row, above, at, weights, begin, to_row, rows, width)
        else:
            multiply_by_product(
                derivatives, to, to_row, above, at, above_row, 1, turned, begin, width, rows, depth, width
            )
        above, at, above_row = derivatives, to, to_row
    if needed:
        to, width = stage * size, plan.sizes[1]
        if inputs == NARROW:
            narrowing_product(pulled, to, above, at, above_row, weights, 0, width, rows, width)
        else:
            product(pulled, to, state_row, above, at, above_row, 1, turned, 0, inputs, rows, width, inputs)


@compiled
def _go_back(plan, memory, weights, turned, first, slot, rows):
    """From the gradient of a step's result to those of its state and of what goes into each layer.

    The first step of all needs no gradient of its state.
    """
    stages, size = len(plan.tableau) - 1, rows * _row(plan.sizes[0])
    for stage in range(stages - 1, -1, -1):
        combine(memory.slopes, stage * size, plan.transposed, stage, memory.pulled, size)
        pull_back(plan, memory, weights, turned, stage, slot, rows, not (first and stage == 0))
    if not first:
        combine(memory.pulled, stages * size, plan.transposed, stages, memory.pulled, size)


@compiled
def learn(plan, memory, gradients, at, slot, rows, first, count):
    """Add what some stages of one step give to the gradients of the weights: so many from the first of them on.

    The states of the step lie at `at`.
    """
    size, depth = rows * _row(plan.sizes[0]), count * rows
    below, at, below_row, top = memory.states, at + first * size, _row(plan.sizes[0]), len(plan.sizes) - 1
    for layer in range(1, top + 1):
        begin, inputs, outputs = plan.offsets[layer - 1], plan.sizes[layer - 1], plan.sizes[layer]
        above, to, to_row = memory.slopes, first * size, _row(outputs)
        if layer < top:
            above, to, to_row = memory.derivatives, _place(plan, slot, layer, first, rows), outputs + LANES
        if outputs == NARROW:
            width = inputs + LANES
            add_product(gradients, begin, width, above, to, 1, to_row, below, at, below_row, ROWS, depth, width)
        else:
            units = _row(inputs)
            add_product(gradients, begin, outputs, below, at, 1, below_row, above, to, to_row, units, depth, outputs)
        below, at, below_row = memory.hidden, to, to_row


@compiled
def turn(plan, weights, turned):
    """Transpose the weights of the layers through which products alone go back; their biases stay behind."""
    for layer in range(1, len(plan.sizes)):
        inputs, outputs, at = plan.sizes[layer - 1], plan.sizes[layer], plan.offsets[layer - 1]
        if inputs != NARROW and outputs != NARROW:
            transpose(turned, at, weights, at, inputs, outputs)


@compiled
def _compare(plan, states, at, targets, pulled, to, weight):
    """The sum of the squared errors of a block's states; their gradients are added to those in `pulled`."""
    loss, state_row = 0.0, _row(plan.sizes[0])
    for i in range(len(targets)):
        for channel in range(len(plan.importance)):
            factor, place = plan.importance[channel], i * state_row + channel
            error = (states[at + place] - targets[i, channel]) * factor
            loss += error * error
            pulled[to + place] += weight * factor * error
    return loss


@compiled
def remember(plan, steps):
    """Memory for rollouts of so many steps, in which the constants of hidden layers are there already."""
    stages, slots, record = len(plan.tableau) - 1, min(plan.slots, steps), _place(plan, 1, 0, 0, 0)
    of_stage = plan.rows * _row(plan.sizes[0])
    hidden = np.zeros(slots * record, F)
    for slot in range(slots):
        for layer in range(1, len(plan.sizes) - 1):
            constant = _place(plan, slot, layer, 0, 0) + plan.sizes[layer]
            for i in range(stages * plan.rows):
                hidden[constant + i * (plan.sizes[layer] + LANES)] = F(1)
    return Memory(
        np.zeros((steps * stages + 1) * of_stage, F),
        np.zeros((stages + 1) * of_stage, F),
        np.zeros((stages + 1) * of_stage, F),
        hidden,
        np.zeros(slots * record, F),
        np.zeros(plan.offsets[-1] * plan.networks, F),
    )


@compiled
def _start(plan, memory, segments):
    """Put the first states of a block in their place; returns the number of rows, filled up to whole tiles."""
    state_row = _row(plan.sizes[0])
    rows = -(-len(segments) // ROWS) * ROWS
    memory.states[: rows * state_row] = ZERO
    memory.pulled[:] = ZERO
    for i in range(len(segments)):
        for channel in range(len(plan.increment)):
            memory.states[i * state_row + channel] = segments[i, 0, channel]
        memory.states[i * state_row + plan.sizes[0]] = F(1)
    return rows


@compiled
def stretch(plan, i, length):
    """Let the step of a row be so many sampling steps long."""
    for channel in range(len(plan.increment)):
        plan.increments[i * _row(plan.sizes[0]) + channel] = length * plan.increment[channel]


@compiled
def _pace(plan, segments, sample):
    """Let a step of each row be as long as the time from its sample to the next one, where samples have a time."""
    if plan.pace > ZERO:
        clock = len(plan.increment)
        for i in range(len(segments)):
            stretch(plan, i, (segments[i, sample + 1, clock] - segments[i, sample, clock]) / plan.pace)


@compiled
def differentiate_block(plan, memory, weights, gradients, segments, weight):
    """The sum of the squared errors of a block; their gradients, times a weight, are added to the others."""
    rows = _start(plan, memory, segments)
    stages, slots, apart = len(plan.tableau) - 1, len(memory.hidden) // _place(plan, 1, 0, 0, 0), plan.offsets[-1]
    steps, size, loss = (segments.shape[1] - 1) * plan.networks, rows * _row(plan.sizes[0]), 0.0
    for step in range(steps):
        own = weights[step % plan.networks * apart :]
        _pace(plan, segments, step // plan.networks)
        go_forth(plan, memory, own, step * stages * size, step % slots, rows)
    for step in range(steps - 1, -1, -1):
        begin, at, slot = step % plan.networks * apart, step * stages * size, step % slots
        own, turned, gradient = weights[begin:], memory.turned[begin:], gradients[begin:]
        _pace(plan, segments, step // plan.networks)
        if (step + 1) % plan.networks == 0:
            targets, to = segments[:, (step + 1) // plan.networks], stages * size
            loss += _compare(plan, memory.states, at + to, targets, memory.pulled, to, weight)
        if step < steps - slots:
            for stage in range(stages):
                _hide(plan, memory, own, at + stage * size, slot, stage, rows)
        _go_back(plan, memory, own, turned, step == 0, slot, rows)
        learn(plan, memory, gradient, at, slot, rows, 0, stages)
    return loss
