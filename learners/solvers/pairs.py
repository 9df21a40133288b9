"""Embedded Runge-Kutta pairs by the tables of torchdiffeq, their continuous extensions, and its control of steps."""

from dataclasses import dataclass
from functools import cache
from math import isnan

import torch
from jaxtyping import Float64
from torch import Tensor
from torchdiffeq._impl.odeint import SOLVERS  # the tables have no public name

from learners.base import SolverError

SAFETY = 0.9  # this and the next two as in torchdiffeq
SHRINK = 0.2
GROW = 10.0
MOST_STEPS = 500  # of it, tried for each sampling step on average: as CVODE allows between two outputs
SMALLEST_STEP = 1e-8  # of it, in sampling steps, before it is given up: single precision tells no less apart


@dataclass(frozen=True)
class Pair:
    """An explicit method, and what it makes of the slopes at its stages: that at the start, then those of the others.

    The last slope of a step is the first one of the next.
    """

    order: int
    ends_with_step: bool  # whether the last stage is the state behind the step, which does not depend on its slope
    matrix: Float64[Tensor, "stage stage"]  # a row for each stage, of what its state takes of the slopes before it
    step: Float64[Tensor, " stage"]
    error: Float64[Tensor, " stage"]
    half: Float64[Tensor, " stage"]  # the state in the middle of the step
    powers: Float64[Tensor, "4 stage"]  # states within the step, by powers of the fraction of it that is past

    def within(self, fraction: float) -> Float64[Tensor, " stage"]:
        """What the state at a fraction of a step takes of its slopes: a polynomial of degree four through the ends."""
        if fraction == 1:
            return self.step
        return self.powers.new_tensor([fraction, fraction**2, fraction**3, fraction**4]) @ self.powers


@cache
def pair_named(solver: str) -> Pair:
    """A method by its name in torchdiffeq."""
    method = SOLVERS[solver]
    table, half = method.tableau, method.mid
    step = table.c_sol
    first = torch.zeros_like(half)
    last = torch.zeros_like(half)
    first[0] = last[-1] = 1.0
    matrix = half.new_zeros(len(half), len(half))
    for stage, row in enumerate(table.beta, start=1):
        matrix[stage, :stage] = row
    powers = [
        first,
        last - 4 * first - 5 * step + 16 * half,
        5 * first - 3 * last + 14 * step - 32 * half,
        2 * (last - first) - 8 * step + 16 * half,
    ]
    ends_with_step = bool((step == matrix[-1]).all())
    return Pair(method.order, ends_with_step, matrix, step, table.c_error, half, torch.stack(powers))


class Steps:
    """Steps from time 0 on, as long as torchdiffeq would have them; the first and the unit of time are sampling steps.

    Or others: then the length of the first is given, and how many are tried at most for each unit of time.
    """

    def __init__(self, pair: Pair, first: float = 1.0, most: int | None = None) -> None:
        self.pair = pair
        self.most = most or MOST_STEPS
        self.t = 0.0
        self.h = first
        self.tried = 0

    def judge(self, error: float) -> bool:
        """Whether a step with this error, in tolerances, is taken.

        SolverError where the next one is too short, or there were too many, on average from the start.
        """
        self.tried += 1
        taken = error <= 1
        h = self.h
        if taken:
            self.t += h
        if error == 0:
            self.h = h * GROW
        elif isnan(error):
            self.h = 0.0
        else:
            least = 1.0 if error < 1 else SHRINK
            self.h = h * min(GROW, max(SAFETY / error ** (1 / self.pair.order), least))
        if not self.t + self.h > self.t:
            raise SolverError(f"underflow in dt {self.h}")
        if self.tried >= self.most * (1 + int(self.t)):
            raise SolverError(f"{self.most} steps do not reach the next sample")
        return taken

    def passed(self, begin: float, length: float, done: int, count: int) -> list[float]:
        """Fractions of a step at which whole times lie, from the one after `done` to `count`."""
        return [(time - begin) / length for time in range(done + 1, count + 1) if time <= begin + length]
