"""Forecasts of perceptrons, in fixed steps and in those of an embedded pair, of blocks of rows; compiled.

Compiled as this module is imported, as `kernel` is.
"""

from math import isnan
from typing import Any

import numpy as np
from numba import types

from learners.solvers import arithmetic, blocks
from learners.solvers.arithmetic import ONE, OPTIONS, ROWS, ZERO, F, compiled, inlined
from learners.solvers.blocks import evaluate, go_forth, remember, row, stretch
from learners.solvers.kernel import PLAN
from systems.solvers.compiling import cached, digest

_row = inlined(row)


@compiled
def _load(plan, memory, states, first, count):
    """Put so many states in their place, from one on, with the constant behind each; returns the rows they take."""
    apart = _row(plan.sizes[0])
    rows = -(-count // ROWS) * ROWS
    memory.states[: rows * apart] = ZERO
    for i in range(count):
        for channel in range(states.shape[1]):
            memory.states[i * apart + channel] = states[first + i, channel]
        memory.states[i * apart + plan.sizes[0]] = ONE
    return rows


@compiled
def _attempt(plan, memory, weights, table, tolerance, lengths, x, first, found, errors, count):
    """Steps of their own length for each of so many states, of each of which the error is a root mean square.

    Args:
        table: rows for each stage, for the states behind the step, for their errors, and for those half-way.
        lengths: of the steps.
        x: states `[state, channel]`.
        first: slopes there.
        found: new states, those half-way, and the last slopes, to be filled in.
        errors: in tolerances, to be filled in.
    """
    dim = x.shape[1]
    stages = len(plan.tableau) - 1
    apart = _row(plan.sizes[0])
    rows = _load(plan, memory, x, 0, count)
    size = rows * apart
    states = memory.states
    slopes = memory.slopes
    slopes[: stages * size] = ZERO
    for stage in range(stages):
        states[stage * size : (stage + 1) * size] = states[:size]
        for i in range(count):
            at = stage * size + i * apart
            for channel in range(dim):
                total = ZERO
                for before in range(stage):
                    total += table[stage, before] * slopes[before * size + i * apart + channel]
                states[at + channel] = x[i, channel] + lengths[i] * total
                if stage == 0:
                    slopes[at + channel] = first[i, channel]
        if stage:
            evaluate(plan, memory, weights, stage, stage * size, 0, rows)
    for i in range(count):
        squares = ZERO
        for channel in range(dim):
            new, error, half = ZERO, ZERO, ZERO
            for stage in range(stages):
                slope = lengths[i] * slopes[stage * size + i * apart + channel]
                new += table[stages, stage] * slope
                error += table[stages + 1, stage] * slope
                half += table[stages + 2, stage] * slope
            found[0, i, channel] = x[i, channel] + new
            found[1, i, channel] = x[i, channel] + half
            found[2, i, channel] = slopes[(stages - 1) * size + i * apart + channel]
            largest = max(abs(x[i, channel]), abs(found[0, i, channel]))
            error /= tolerance * (ONE + largest)
            squares += error * error
        errors[i] = np.sqrt(squares / dim)


@compiled
def _fill(out, fraction, length, old, slope, found, i):
    """The state at a fraction of a step, by the polynomial of degree four through it."""
    for channel in range(len(out)):
        x = old[i, channel]
        new = found[0, i, channel]
        half = found[1, i, channel]
        rise = length * slope[i, channel]
        fall = length * found[2, i, channel]
        value = F(2) * (fall - rise) - F(8) * (x + new) + F(16) * half
        value = value * fraction + (F(5) * rise - F(3) * fall + F(18) * x + F(14) * new - F(32) * half)
        value = value * fraction + (fall - F(4) * rise - F(11) * x - F(5) * new + F(16) * half)
        value = value * fraction + rise
        out[channel] = value * fraction + x


@compiled
def _is_bounded(x, bound):
    bounded = True
    for channel in range(len(x)):
        bounded &= abs(x[channel]) < bound
    return bounded


@compiled
def _resized(h, error, order, shrink, grow, safety):
    change = shrink if isnan(error) else grow if error == 0 else safety * error ** (-1 / order)
    change = min(max(change, shrink), grow)
    return h * (change if error <= 1 else min(change, 1.0))


def _entries(sources: str) -> tuple[Any, ...]:
    """The functions that Python calls. Numba files them under what they close over, too: what they were made from."""

    def roll(plan, weights, start, lengths, states):
        """Fill in the states `[time, seed, batch, channel]` after each of some steps of lengths in sampling steps."""
        _ = sources
        memory = remember(plan, 1)
        apart = _row(plan.sizes[0])
        behind = len(plan.tableau) - 1
        batch = start.shape[1]
        for seed in range(len(start)):
            for begin in range(0, batch, plan.rows):
                count = min(plan.rows, batch - begin)
                rows = _load(plan, memory, start[seed], begin, count)
                size = rows * apart
                for time in range(len(states)):
                    if time == 0 or lengths[time] != lengths[time - 1]:
                        for i in range(plan.rows):
                            stretch(plan, i, lengths[time])
                    for network in range(plan.networks):
                        own = weights[seed, network * plan.offsets[-1] :]
                        go_forth(plan, memory, own, 0, 0, rows)
                        memory.states[:size] = memory.states[behind * size : (behind + 1) * size]
                    for i in range(count):
                        for channel in range(start.shape[2]):
                            states[time, seed, begin + i, channel] = memory.states[i * apart + channel]

    def follow(plan, weights, table, tolerance, order, control, start, times, states, evaluations, stiff):
        """Follow states `[batch, channel]` in steps of their own, and fill in those at increasing times.

        Args:
            table: as of `_attempt`.
            order: of the pair.
            control: least and most that a step's length is multiplied by, the caution in that; the bound that states
                stay within, the most steps tried for each sampling step, the shortest step.
            times: in sampling steps.
            states: `[time, batch, channel]`; they stay as they are behind the time when a trajectory is given up.
            evaluations: of each trajectory, to be added to.
            stiff: whether a trajectory was given up for the number of its steps, to be filled in.
        """
        _ = sources
        shrink, grow, safety, bound, most, shortest = control
        memory = remember(plan, 1)
        dim = start.shape[1]
        last = times[-1]
        new_slopes = len(plan.tableau) - 2
        member, sample = np.zeros(plan.rows, np.int64), np.zeros(plan.rows, np.int64)
        t, step, h, lengths = np.zeros(plan.rows), np.zeros(plan.rows), np.zeros(plan.rows), np.zeros(plan.rows, F)
        x, slope = np.zeros((plan.rows, dim), F), np.zeros((plan.rows, dim), F)
        found, errors = np.zeros((3, plan.rows, dim), F), np.zeros(plan.rows, F)
        count, waiting = 0, 0
        while True:
            fresh = count
            while count < plan.rows and waiting < len(start):
                if _is_bounded(start[waiting], bound):
                    member[count] = waiting
                    sample[count] = 0
                    t[count] = 0
                    step[count] = 1
                    x[count] = start[waiting]
                    count += 1
                waiting += 1
            if fresh < count:
                rows = _load(plan, memory, x, fresh, count - fresh)
                evaluate(plan, memory, weights, 0, 0, 0, rows)
                for i in range(fresh, count):
                    at = (i - fresh) * _row(plan.sizes[0])
                    slope[i] = memory.slopes[at : at + dim]
            if count == 0:
                break
            for i in range(count):
                h[i] = min(step[i], last - t[i])
                lengths[i] = h[i]
            _attempt(plan, memory, weights, table, tolerance, lengths, x, slope, found, errors, count)
            for i in range(count - 1, -1, -1):
                own = member[i]
                evaluations[own] += new_slopes
                if errors[i] <= 1:
                    end = last if h[i] == last - t[i] else t[i] + h[i]
                    while sample[i] < len(times) and times[sample[i]] <= end:
                        fraction = F((times[sample[i]] - t[i]) / h[i])
                        _fill(states[sample[i], own], fraction, lengths[i], x, slope, found, i)
                        sample[i] += 1
                    x[i] = found[0, i]
                    slope[i] = found[2, i]
                    t[i] = end
                step[i] = _resized(h[i], np.float64(errors[i]), order, shrink, grow, safety)
                going = t[i] < last and step[i] > shortest and _is_bounded(x[i], bound)
                if t[i] < last and evaluations[own] > most * new_slopes * (1 + t[i]):
                    stiff[own], going = True, False
                if not going:
                    count -= 1
                    member[i], sample[i], t[i], step[i] = member[count], sample[count], t[count], step[count]
                    x[i], slope[i] = x[count], slope[count]

    return roll, follow


_roll, _follow = _entries(digest(__file__, blocks.__file__, arithmetic.__file__))
_rows, _batch, _floats, _whole = types.float32[:, ::1], types.float32[:, :, ::1], types.float64[::1], types.int64
_series = types.float32[:, :, :, ::1]
_control = types.UniTuple(types.float64, 6)
roll = cached(_roll, types.void(PLAN, _rows, _batch, types.float32[::1], _series), **OPTIONS)
follow = cached(
    _follow,
    types.void(
        PLAN,
        types.float32[::1],
        _rows,
        types.float32,
        types.float64,
        _control,
        _rows,
        _floats,
        _batch,
        types.int64[::1],
        types.boolean[::1],
    ),
    **OPTIONS,
)
