"""The compiled descent in eigenbases: what `learners.training.soap.SOAP` does, where the kernel has its weights."""

from typing import Any

import numpy as np
from numba import types

from learners.solvers import arithmetic
from learners.solvers.arithmetic import LANES, ONE, OPTIONS, ZERO, F, add_product, compiled, product, transpose
from learners.training import soap
from systems.solvers.compiling import cached, digest

KEPT_SQUARE, KEPT_FACTOR, EPSILON, TURNS = F(soap.SQUARE), F(soap.FACTOR), F(soap.EPSILON), soap.TURNS
NEW_MEAN, NEW_SQUARE, MEAN, SQUARE = F(1 - soap.MEAN), F(1 - soap.SQUARE), soap.MEAN, soap.SQUARE
WORK = 4  # matrices as large as the largest


def whole(size: int) -> int:
    """Rows or columns that a block is filled up to, so that products consist of whole tiles."""
    return -(-size // LANES) * LANES


def state_size(height: int, width: int) -> int:
    """Numbers that are kept of one block."""
    return 2 * whole(height) * whole(width) + 2 * whole(height) ** 2 + 3 * whole(width) ** 2


_whole = compiled(whole)


@compiled
def _reflect(a, reflector, scale, sums, first, begin, n, row):
    """a <- (1 - scale v v^T) a, in the rows and columns from `first` and `begin` on."""
    for j in range(begin, n):
        sums[j] = ZERO
    for i in range(first, n):
        x = reflector[i]
        line = a[i * row : i * row + n]
        for j in range(begin, n):
            sums[j] += x * line[j]
    for i in range(first, n):
        x = scale * reflector[i]
        line = a[i * row : i * row + n]
        for j in range(begin, n):
            line[j] -= x * sums[j]


@compiled
def factorise(a, turn, reflectors, n, row):
    """Householder's factorisation a = Q R: `a` becomes R, and `turn` Q, with `row` numbers from row to row.

    A column that is zero below the diagonal is not reflected. `reflectors` is memory for n + 2 rows.
    """
    scales, sums = reflectors[n * row : n * row + n], reflectors[(n + 1) * row : (n + 1) * row + n]
    for k in range(n):
        below = 0.0
        scales[k] = ZERO
        for i in range(k + 1, n):
            below += np.float64(a[i * row + k]) ** 2
        if below != 0:
            first = np.float64(a[k * row + k])
            reflector = reflectors[k * row : k * row + n]
            end = -np.copysign(np.sqrt(first * first + below), first)
            scales[k] = F((end - first) / end)
            reflector[k] = ONE
            for i in range(k + 1, n):
                reflector[i] = F(a[i * row + k] / (first - end))
                a[i * row + k] = ZERO
            a[k * row + k] = F(end)
            _reflect(a, reflector, scales[k], sums, k, k + 1, n, row)
    turn[: row * row] = ZERO
    for k in range(n - 1, -1, -1):
        turn[k * row + k] = ONE
        if scales[k] != ZERO:
            _reflect(turn, reflectors[k * row : k * row + n], scales[k], sums, k, k, n, row)


@compiled
def _multiply(out, a, a_row, a_column, b, rows, depth, columns):
    """out = A B, of matrices that lie one row behind the other and are filled up to whole tiles."""
    product(out, 0, columns, a, 0, a_row, a_column, b, 0, columns, rows, depth, columns)


@compiled
def _turn(factor, basis, turn, work, other, n):
    """One step of the QR algorithm: of the factor, and of its basis, which is turned with it."""
    row = _whole(n)
    size = row * row
    factorise(factor, turn, work, n, row)
    _multiply(other, factor, row, 1, turn, row, n, row)
    factor[:size] = other[:size]
    _multiply(other, basis, row, 1, turn, row, n, row)
    basis[:size] = other[:size]


@compiled
def _descend_block(gradient, state, height, width, work, count):
    """Replace the gradient of a block, filled up with zeros, by what an update takes at a rate of one."""
    down = _whole(height)
    across = _whole(width)
    room = len(work) // WORK
    size = down * across
    begin = 2 * down * across
    mean, square = state[:size], state[size:begin]
    left_factor, left = state[begin:], state[begin + down * down :]
    begin += 2 * down * down
    right_factor, right = state[begin:], state[begin + across * across :]
    turned = state[begin + 2 * across * across :]  # the right basis, transposed
    seen, move, other, reflectors = work[:room], work[room:], work[2 * room :], work[3 * room :]
    if count == 0:
        for i in range(height):
            left[i * down + i] = ONE
        for j in range(width):
            right[j * across + j], turned[j * across + j] = ONE, ONE
    _multiply(other, left, 1, down, gradient, down, height, across)
    _multiply(seen, other, across, 1, right, down, width, across)
    fading, spread = F(1 / (1 - MEAN ** (count + 1))), F(1 / (1 - SQUARE ** (count + 1)))
    for i in range(size):
        mean[i] += NEW_MEAN * (seen[i] - mean[i])
        square[i] = KEPT_SQUARE * square[i] + NEW_SQUARE * seen[i] * seen[i]
        move[i] = fading * mean[i] / (np.sqrt(spread * square[i]) + EPSILON)
    _multiply(other, left, down, 1, move, down, height, across)
    _multiply(gradient, other, across, 1, turned, down, width, across)
    for i in range(down * down):
        left_factor[i] *= KEPT_FACTOR
    for i in range(across * across):
        right_factor[i] *= KEPT_FACTOR
    transpose(other, 0, seen, 0, down, across)
    add_product(left_factor, 0, down, seen, 0, across, 1, other, 0, down, down, width, down)
    add_product(right_factor, 0, across, seen, 0, 1, across, seen, 0, across, across, height, across)
    if (count + 1) % TURNS == 0:
        _turn(left_factor, left, move, reflectors, other, height)
        _multiply(seen, move, 1, down, mean, down, height, across)
        _turn(right_factor, right, move, reflectors, other, width)
        _multiply(mean, seen, across, 1, move, down, width, across)
        transpose(turned, 0, right, 0, across, across)


@compiled
def _add(flat, place, top, begin, block, factor, out):
    """Take a block out of a layer, times a factor; or, with `out`, add it there."""
    start, rows, bias, columns, row, column, height, width = place
    stride = _whole(width)
    for i in range(min(height, rows - top)):
        at = start + (bias if top + i == rows - 1 else top + i) * row + begin * column
        for j in range(min(width, columns - begin)):
            if out:
                flat[at + j * column] += factor * block[i * stride + j]
            else:
                block[i * stride + j] = factor * flat[at + j * column]


def _entry(sources: str) -> Any:
    def descend_in_bases(weights, gradients, places, states, largest, rate, count):
        """Clip the gradient of each replica and take a step of SOAP, the one after `count` others.

        A row of `places` is a layer: where it begins in a replica, its rows with the bias, the place of the row of the
        bias, its columns, the distances between rows and columns, and the height and width of its blocks.
        """
        _ = sources
        most = 0
        for place in places:
            most = max(most, place[6], place[7])
        work = np.empty(WORK * (_whole(most) + 2) * _whole(most), F)
        block = np.empty(_whole(most) ** 2, F)
        for seed in range(len(weights)):
            total = ZERO
            at = 0
            for i in range(weights.shape[1]):
                total += gradients[seed, i] * gradients[seed, i]
            norm = np.sqrt(total)
            factor = ONE if norm <= largest else F(largest) / norm
            for place in places:
                height, width = place[6], place[7]
                for top in range(0, place[1], height):
                    for begin in range(0, place[3], width):
                        block[:] = ZERO
                        _add(gradients[seed], place, top, begin, block, factor, False)
                        _descend_block(block, states[seed, at:], height, width, work, count)
                        _add(weights[seed], place, top, begin, block, F(-rate), True)
                        down, across = _whole(height), _whole(width)
                        at += 2 * down * across + 2 * down * down + 3 * across * across

    return descend_in_bases


_arrays = types.float32[:, ::1]
descend_in_bases = cached(
    _entry(digest(__file__, soap.__file__, arithmetic.__file__)),
    types.void(_arrays, _arrays, types.int64[:, ::1], _arrays, types.float64, types.float64, types.int64),
    **OPTIONS,
)
