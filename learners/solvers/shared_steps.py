"""Runge-Kutta steps that a whole batch shares, from time 0 to time 1; differentiable, through them or by the adjoint.

Steps are torchdiffeq's, of which the tables are, too. It keeps the slopes of a step next to each other number by
number, and its sums over them take a third of the time of a convolutional field.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite, isnan, nan, sqrt
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from scipy.integrate import ode
from torch import Tensor
from torch.autograd.function import once_differentiable

from learners.base import SolverError
from learners.solvers.pairs import Pair, Steps, pair_named
from systems.solvers.fixed import TABLEAUS

Parts = tuple[Tensor, ...]  # of a state: of any shapes, each with an error of its own
Velocity = Callable[[float, Parts], Parts]
Follow = Callable[[Velocity, Parts], Parts]  # from the state at time 0 to that at time 1
FewParts = tuple[Tensor | None, ...]


def adaptive(solver: str, tolerance: float, most: int) -> Follow:
    """By an embedded pair of torchdiffeq's, at a tolerance, relative and absolute, in at most so many steps.

    The error of a step is the largest root mean square among the parts of a state. What follows raises SolverError
    where the solver cannot go on.
    """

    def follow(velocity: Velocity, start: Parts) -> Parts:
        try:
            return _follow_adaptively(pair_named(solver), tolerance, most, velocity, start)
        except SolverError as failure:
            raise SolverError(f"{solver} at tolerance {tolerance:g} could not go on: {failure}") from failure

    return follow


def adams(tolerance: float, most: int) -> Follow:
    """By Adams' implicit methods of orders 1 to 12, as VODE chooses and iterates them; no gradients go through it.

    Brown, Byrne and Hindmarsh, "VODE: a variable-coefficient ODE solver", SIAM J. Sci. Stat. Comput. 10, 1989. States
    are double there, whatever the field is computed in. The error of a step is the root mean square of all numbers.
    """
    return partial(_follow_by_adams, tolerance, most)


def fixed(solver: str, steps: int) -> Follow:
    """In so many steps of equal length."""
    return partial(_follow_evenly, solver, steps)


def follow_by_adjoint(follow: Follow, velocity: Callable[[float, Tensor], Tensor], x: Tensor, learned: Parts) -> Tensor:
    """The state at time 1, with gradients by the adjoint equation, which is followed back from there.

    Args:
        velocity: differentiable in the state and in what is `learned`.
    """
    end: Any = _Adjoint.apply(follow, velocity, x, *learned)
    return end


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, follow: Follow, velocity: Callable[[float, Tensor], Tensor], x: Tensor, *learned: Tensor
    ) -> Tensor:
        (end,) = follow(lambda t, state: (velocity(t, state[0]),), (x,))
        ctx.follow, ctx.velocity = follow, velocity
        ctx.save_for_backward(end, *learned)
        return end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> FewParts:  # pyright: ignore[reportIncompatibleMethodOverride]
        end, *learned = ctx.saved_tensors

        def back(s: float, state: Parts) -> Parts:
            with torch.enable_grad():
                x = state[0].detach().requires_grad_()
                slope = ctx.velocity(1 - s, x)
                pulled = torch.autograd.grad(slope, (x, *learned), state[1], materialize_grads=True)
            return (-slope.detach(), *pulled)

        none_yet = (torch.zeros_like(weight) for weight in learned)
        _, of_start, *of_learned = ctx.follow(back, (end, *gradients, *none_yet))
        return (None, None, of_start, *of_learned)


def _follow_by_adams(tolerance: float, most: int, velocity: Velocity, start: Parts) -> Parts:
    def joined(parts: Parts) -> Float64[np.ndarray, " number"]:
        return torch.cat([part.detach().flatten() for part in parts]).double().cpu().numpy()

    def parts_of(numbers: Float64[np.ndarray, " number"]) -> Parts:
        pieces = torch.from_numpy(numbers).to(start[0]).split([part.numel() for part in start])
        return tuple(piece.view_as(part) for piece, part in zip(pieces, start, strict=True))

    solver: Any = ode(lambda t, x: joined(velocity(t, parts_of(x))))
    solver.set_integrator("vode", method="adams", rtol=tolerance, atol=tolerance, nsteps=most)
    solver.set_initial_value(joined(start), 0.0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        end = solver.integrate(1.0)
    if not solver.successful():
        why = "; ".join(str(one.message) for one in said) or f"code {solver.get_return_code()}"
        raise SolverError(f"adams at tolerance {tolerance:g} could not go on: {why}")
    return parts_of(end)


def _follow_evenly(solver: str, steps: int, velocity: Velocity, start: Parts) -> Parts:
    tableau = TABLEAUS[solver]
    h = 1 / steps
    x = start
    for step in range(steps):
        slopes: list[Parts] = []
        for row in tableau.stages:
            slopes.append(velocity((step + sum(row)) * h, _moved(x, h, row, slopes)))
        x = _moved(x, h, tableau.weights, slopes)
    return x


def _follow_adaptively(pair: Pair, tolerance: float, most: int, velocity: Velocity, start: Parts) -> Parts:
    x, slope = start, velocity(0.0, start)
    steps = Steps(pair, _first_step(pair, tolerance, velocity, x, slope), most)
    matrix = pair.matrix.tolist()
    while True:
        t, h = steps.t, steps.h
        slopes = [slope]
        new = x
        for row in matrix[1:]:
            new = _moved(x, h, row, slopes)
            slopes.append(velocity(t + sum(row) * h, new))
        if not pair.ends_with_step:
            new = _moved(x, h, pair.step.tolist(), slopes)
        if steps.judge(_error(pair, tolerance, h, x, new, slopes)):
            if steps.t >= 1:
                return _moved(x, h, pair.within((1 - t) / h).tolist(), slopes)
            x, slope = new, slopes[-1]


def _moved(x: Parts, h: float, weights: Sequence[float], slopes: list[Parts]) -> Parts:
    """The state and h times a weighted sum of slopes, each part in one pass a slope."""
    scaled = [(h * weight, slope) for weight, slope in zip(weights, slopes, strict=False) if weight]
    return tuple(_with_terms(part, [(scale, slope[place]) for scale, slope in scaled]) for place, part in enumerate(x))


def _with_terms(x: Tensor, terms: list[tuple[float, Tensor]]) -> Tensor:
    if not terms:
        return x
    scale, slope = terms[0]
    total = torch.add(x, slope, alpha=scale)
    for scale, slope in terms[1:]:
        total.add_(slope, alpha=scale)
    return total


@torch.no_grad()
def _error(pair: Pair, tolerance: float, h: float, old: Parts, new: Parts, slopes: list[Parts]) -> float:
    """Of a step, in tolerances."""
    nothing = tuple(torch.zeros_like(part) for part in new)
    errors = _moved(nothing, h, pair.error.tolist(), slopes)
    return _size(
        [error / _tolerated(tolerance, before, after) for error, before, after in zip(errors, old, new, strict=True)]
    )


@torch.no_grad()
def _first_step(pair: Pair, tolerance: float, velocity: Velocity, x: Parts, slope: Parts) -> float:
    """A length to begin with, by Hairer, Norsett and Wanner, "Solving ordinary differential equations I", II.4."""
    scales = [_tolerated(tolerance, part, part) for part in x]

    def size(parts: Parts) -> float:
        return _size([part / scale for part, scale in zip(parts, scales, strict=True)])

    of_state, of_slope = size(x), size(slope)
    if not isfinite(of_state + of_slope):
        raise SolverError("non-finite values in the state or in its slope")
    trial = 1e-6 if min(of_state, of_slope) < 1e-5 else 0.01 * of_state / of_slope
    changed = velocity(trial, _moved(x, trial, (1.0,), [slope]))
    of_change = size(tuple(after - before for before, after in zip(slope, changed, strict=True))) / trial
    if max(of_slope, of_change) <= 1e-15:
        return min(100 * trial, max(1e-6, trial * 1e-3))
    return min(100 * trial, (0.01 / max(of_slope, of_change)) ** (1 / pair.order))


def _tolerated(tolerance: float, old: Tensor, new: Tensor) -> Tensor:
    return torch.maximum(old.abs(), new.abs()).add_(1).mul_(tolerance)


def _size(parts: list[Tensor]) -> float:
    """The largest root mean square; not a number where one is none."""
    sizes = [float(torch.linalg.vector_norm(part)) / sqrt(part.numel()) for part in parts]
    return nan if any(map(isnan, sizes)) else max(sizes)
