"""Forecasts of polynomial maps in compiled code, in double precision: monomials are those below times a channel.

It is compiled as this module is imported, once on a machine. Numbers are those of the eager path to rounding.
"""

from typing import Any

import numpy as np
from numba import types

from systems.solvers import program_kernel
from systems.solvers.compiling import cached, digest
from systems.solvers.program_kernel import OPTIONS

WIDTH = 16  # states side by side


def _entry(sources: str) -> Any:
    """The function `forecast`. Numba files it under what it closes over, too: here, all that it was made from."""

    def forecast(windows, lower, channel, weights, stride, count):
        """The windows `[count, batch, reach, dim]` after 1, 2, ... steps of maps of windows `[batch, reach, dim]`.

        But for the first, which is 1, each monomial is the one at the place `lower`, times a channel of those samples
        of the window that are `stride` apart.
        """
        _ = sources
        rows, reach, dim = windows.shape
        found = np.empty((count, rows, reach, dim))
        read = np.arange(0, reach, stride)
        x = np.zeros((len(read) * dim, WIDTH))
        values = np.ones((len(lower), WIDTH))
        change = np.zeros((dim, WIDTH))
        for begin in range(0, rows, WIDTH):
            lanes = min(WIDTH, rows - begin)
            for step in range(count):
                before = windows if step == 0 else found[step - 1]
                for lane in range(lanes):
                    for sample in range(len(read)):
                        for place in range(dim):
                            x[sample * dim + place, lane] = before[begin + lane, read[sample], place]
                for place in range(dim):
                    for i in range(WIDTH):
                        change[place, i] = weights[0, place]
                for term in range(1, len(lower)):
                    below = values[lower[term]]
                    factor = x[channel[term]]
                    value = values[term]
                    for i in range(WIDTH):
                        value[i] = below[i] * factor[i]
                    for place in range(dim):
                        weight = weights[term, place]
                        total = change[place]
                        for i in range(WIDTH):
                            total[i] += weight * value[i]
                for lane in range(lanes):
                    for sample in range(reach - 1):
                        for place in range(dim):
                            found[step, begin + lane, sample, place] = before[begin + lane, sample + 1, place]
                    for place in range(dim):
                        last = before[begin + lane, reach - 1, place]
                        found[step, begin + lane, reach - 1, place] = last + change[place, lane]
        return found

    return forecast


_states, _places = types.float64[:, :, ::1], types.int64[::1]
forecast = cached(
    _entry(digest(__file__, program_kernel.__file__)),
    types.float64[:, :, :, ::1](_states, _places, _places, types.float64[:, ::1], types.int64, types.int64),
    **OPTIONS,
)
