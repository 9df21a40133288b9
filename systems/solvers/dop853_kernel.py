"""The integration of `dop853` and its dense output in compiled code, to the last bit: many trajectories side by side.

It is compiled as this module is imported, once on a machine. Arithmetic is IEEE 754's, operation by operation: nothing
is reordered or contracted, whatever the processor. Arrays have a column for each trajectory that is under way.
"""

from typing import Any

import numpy as np
from numba import types
from scipy.integrate import DOP853

from systems.solvers import adaptive, program_kernel, tracing
from systems.solvers.adaptive import Start
from systems.solvers.compiling import cached, digest
from systems.solvers.program_kernel import OPTIONS, PROGRAM, evaluate, inner

STAGES, EXTENSION = 16, 4  # slopes of a step and its dense output; coefficients of the latter beyond a cubic


def _table() -> np.ndarray:
    """What stages take of the slopes before them, then the step, its errors, and the dense output with its stages."""
    rows = [*DOP853.A[1:], DOP853.B, DOP853.E5, DOP853.E3, *DOP853.A_EXTRA, *DOP853.D]
    return np.stack([np.pad(row, (0, STAGES - len(row))) for row in rows])


TABLE, NODES = _table(), np.array([*DOP853.C, 1.0, *DOP853.C_EXTRA])
FIFTH, THIRD, DENSE = 12, 13, 17  # rows of the table; those of stages stand at their numbers less one


@inner
def _combine(out, row, count, slopes):
    """Weighted sums of the first slopes, added up one after the other."""
    size = len(out)
    out[:] = 0.0
    for first in range(0, count - 3, 4):
        a, b, c, d = TABLE[row, first], TABLE[row, first + 1], TABLE[row, first + 2], TABLE[row, first + 3]
        one, two, three, four = slopes[first], slopes[first + 1], slopes[first + 2], slopes[first + 3]
        for i in range(size):
            out[i] = out[i] + a * one[i] + b * two[i] + c * three[i] + d * four[i]
    for stage in range(count - count % 4, count):
        weight = TABLE[row, stage]
        one = slopes[stage]
        for i in range(size):
            out[i] += weight * one[i]


@inner
def _stage(program, values, old, t, h, node, sums, slope):
    """The slope at old states + h sums."""
    width = len(h)
    for place in range(len(program.outputs)):
        value = values[place]
        for i in range(width):
            value[i] = old[place * width + i] + h[i] * sums[place * width + i]
    clock = values[len(program.outputs)]
    for i in range(width):
        clock[i] = t[i] + node * h[i]
    evaluate(program, values, slope)


@inner
def _total(terms, begin, count, apart):
    """The sum of so many terms that lie apart, in numpy's order: by halves, and in eights within them."""
    if count < 8:
        total = 0.0
        for i in range(count):
            total += terms[begin + i * apart]
        return total
    if count <= 128:
        parts = np.empty(8)
        for i in range(8):
            parts[i] = terms[begin + i * apart]
        for i in range(8, count - count % 8):
            parts[i % 8] += terms[begin + i * apart]
        total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]))
        for i in range(count - count % 8, count):
            total += terms[begin + i * apart]
        return total
    half = count // 2 - count // 2 % 8
    return _total(terms, begin, half, apart) + _total(terms, begin + half * apart, count - half, apart)


@inner
def _errors(tolerance, old, new, fifth, third, h, errors):
    """The error of each trajectory's step in tolerances; `fifth` and `third` are overwritten."""
    width = len(h)
    dim = len(old) // len(h)
    for i in range(len(old)):
        before, after = abs(old[i]), abs(new[i])
        scale = tolerance * (1 + (before if before > after or before != before else after))
        fifth[i] = fifth[i] / scale
        third[i] = third[i] / scale
        fifth[i] *= fifth[i]
        third[i] *= third[i]
    for lane in range(width):
        of_fifth, of_third = _total(fifth, lane, dim, width), _total(third, lane, dim, width)
        total = np.sqrt((of_fifth + 0.01 * of_third) * dim)
        error = h[lane] * of_fifth / total if total != 0 else 0.0
        errors[lane] = error if np.isfinite(error) else np.inf


@inner
def _extend(program, values, old, new, t, h, slopes, sums, polynomial):
    """Coefficients of the interpolating polynomials, in the order in which they are used."""
    width = len(h)
    for stage in range(13, 16):
        _combine(sums, stage + 1, stage, slopes)
        _stage(program, values, old, t, h, NODES[stage], sums, slopes[stage])
    for power in range(EXTENSION):
        _combine(polynomial[power], DENSE + EXTENSION - 1 - power, STAGES, slopes)
    for begin in range(0, len(old), width):
        for lane in range(width):
            i = begin + lane
            for power in range(EXTENSION):
                polynomial[power, i] *= h[lane]
            change = new[i] - old[i]
            first = h[lane] * slopes[0, i]
            last = h[lane] * slopes[12, i]
            polynomial[4, i] = 2 * change - first - last
            polynomial[5, i] = first - change
            polynomial[6, i] = change


@inner
def _sample(polynomial, old, lane, width, elapsed, state):
    """The state at a fraction of one trajectory's step."""
    rest = 1 - elapsed
    for place in range(len(state)):
        at = place * width + lane
        value = 0.0
        for power in range(7):
            value += polynomial[power, at]
            value *= rest if power % 2 else elapsed
        state[place] = old[at] + value


def _entry(sources: str) -> Any:
    """The function `integrate`. Numba files it under what it closes over, too: here, all that it was made from."""

    def integrate(program, start, smallest, control, times, states, width):
        """Fill in the states at times, so many trajectories at once; False where one of them cannot be followed."""
        _ = sources
        tolerance, safety, slack = control
        dim = start.x.shape[1]
        waiting = 0
        under_way = 0
        size = dim * width
        count = times.shape[1]
        values = np.zeros((program.registers, width))
        for place in range(len(program.constants)):
            values[dim + 1 + place] = program.constants[place]
        slopes = np.zeros((STAGES, size))
        polynomial = np.empty((7, size))
        old, new, sums, third = np.zeros(size), np.empty(size), np.empty(size), np.empty(size)
        t = np.zeros(width)
        h = np.zeros(width)
        step = np.zeros(width)
        last = np.zeros(width)
        errors = np.zeros(width)
        trajectory = np.full(width, -1)
        place = np.zeros(width, np.int64)
        end = np.zeros(width)
        is_new = np.zeros(width, np.bool_)
        while True:
            if under_way < width and waiting < len(start.t):
                for lane in range(width):
                    if trajectory[lane] < 0 and waiting < len(start.t):
                        mine = trajectory[lane] = start.trajectory[waiting]
                        t[lane], last[lane], step[lane] = start.t[waiting], start.last[waiting], start.step[waiting]
                        for i in range(dim):
                            old[i * width + lane] = start.x[waiting, i]
                        place[lane] = 0
                        is_new[lane] = True
                        while place[lane] < count and times[mine, place[lane]] <= t[lane]:
                            place[lane] += 1
                        waiting, under_way = waiting + 1, under_way + 1
                for i in range(dim):
                    for lane in range(width):
                        values[i, lane] = old[i * width + lane]
                        values[dim, lane] = t[lane]
                evaluate(program, values, sums)
                for lane in range(width):
                    if is_new[lane]:
                        is_new[lane] = False
                        for i in range(lane, size, width):
                            slopes[0, i] = sums[i]
            for lane in range(width):
                left = last[lane] - t[lane]
                h[lane] = step[lane] if step[lane] * slack < left else left
            for stage in range(1, 13):
                _combine(sums, stage - 1, stage, slopes)
                _stage(program, values, old, t, h, NODES[stage], sums, slopes[stage])
            for i in range(dim):
                for lane in range(width):
                    new[i * width + lane] = values[i, lane]
            _combine(sums, FIFTH, 13, slopes)
            _combine(third, THIRD, 13, slopes)
            _errors(tolerance, old, new, sums, third, h, errors)
            wanted = False
            for lane in range(width):
                end[lane] = last[lane] if h[lane] == last[lane] - t[lane] else t[lane] + h[lane]
                if errors[lane] <= 1 and trajectory[lane] >= 0 and place[lane] < count:
                    wanted |= times[trajectory[lane], place[lane]] <= end[lane]
            if wanted:
                _extend(program, values, old, new, t, h, slopes, sums, polynomial)
            for lane in range(width):
                mine = trajectory[lane]
                if mine < 0:
                    continue
                if errors[lane] <= 1:
                    while place[lane] < count and times[mine, place[lane]] <= end[lane]:
                        elapsed = (times[mine, place[lane]] - t[lane]) / h[lane]
                        _sample(polynomial, old, lane, width, elapsed, states[mine, place[lane]])
                        place[lane] += 1
                    t[lane] = end[lane]
                    for i in range(lane, size, width):
                        old[i] = new[i]
                        slopes[0, i] = slopes[12, i]
                factor = safety / np.sqrt(np.sqrt(np.sqrt(errors[lane])))
                step[lane] = h[lane] * min(max(factor, 0.1), 4.0)
                if not t[lane] < last[lane]:
                    trajectory[lane] = -1
                    under_way -= 1
                    if under_way == 0 and waiting == len(start.t):
                        return True
                elif not step[lane] / smallest[mine] > 1:
                    return False

    return integrate


_numbers, _indices = types.float64[::1], types.int64[::1]
integrate = cached(
    _entry(digest(__file__, adaptive.__file__, program_kernel.__file__, tracing.__file__)),
    types.boolean(
        PROGRAM,
        types.NamedTuple((_indices, _numbers, _numbers, types.float64[:, ::1], _numbers), Start),
        _numbers,
        types.UniTuple(types.float64, 3),
        types.float64[:, ::1],
        types.float64[:, :, ::1],
        types.int64,
    ),
    **OPTIONS,
)
