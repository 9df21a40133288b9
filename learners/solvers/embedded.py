"""Embedded Runge-Kutta pairs that give each trajectory a clock and steps of its own: for forecasts, without gradients.

The pairs and their continuous extensions are those by which torchdiffeq trains. Its solvers share one step among all
trajectories, so that each would depend on its neighbours, and one that is lost would hold up the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torchdiffeq._impl.odeint import SOLVERS  # the tables have no public name

OUT_OF_BOUNDS = 1e3  # standard deviations beyond which a trajectory is given up as diverged
SMALLEST_STEP = 1e-8  # sampling steps, before a trajectory is given up: single precision tells no less apart
SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0  # as in torchdiffeq
BLOCK = 256  # steps that are kept before the samples within them are worked out

State = Float[Tensor, "batch state"]
Clock = Float64[Tensor, " batch"]
Field = Callable[[State], State]


@dataclass(frozen=True)
class Pair:
    """The weights of a method: of each stage, of the step, of its error, and of the state half-way; and its order."""

    stages: Sequence[Tensor]  # each as the others
    step: Float[Tensor, "slopes 1 1"]
    error: Float[Tensor, "slopes 1 1"]
    half: Float[Tensor, "slopes 1 1"]
    order: int

    @classmethod
    def of(cls, solver: str, like: Tensor) -> "Pair":
        def weights(row: Tensor) -> Tensor:
            return row.to(like)[:, None, None]

        method = SOLVERS[solver]
        table = method.tableau
        stages = [weights(row) for row in table.beta]
        return cls(stages, weights(table.c_sol), weights(table.c_error), weights(method.mid), method.order)


def solve(
    field: Field, start: State, times: Float64[Tensor, " time"], solver: str, tolerance: float
) -> tuple[Float[Tensor, "time batch state"], Int64[Tensor, " batch"]]:
    """States at increasing positive `times`, in sampling steps, and each trajectory's evaluations of the field.

    The error of a step is the root mean square over the state, relative and absolute to `tolerance`. A trajectory that
    leaves the bounds, or whose steps become too small, is non-finite from there on.
    """
    pair, last = Pair.of(solver, start), times[-1]
    states = start.new_full((len(times), *start.shape), torch.nan)
    evaluations = torch.ones(len(start), dtype=torch.int64, device=start.device)
    going = (start.abs() < OUT_OF_BOUNDS).all(dim=-1)
    members, x = going.nonzero().squeeze(-1), start[going]
    slope, t, step = field(x), times.new_zeros(len(x)), times.new_ones(len(x))
    kept: list[tuple[Tensor, ...]] = []
    while len(members):
        h = torch.minimum(step, last - t)
        new, half, new_slope, error = _step(field, pair, x, slope, h, tolerance)
        evaluations[members] += len(pair.stages)
        good, end = error <= 1, torch.where(h == last - t, last, t + h)
        kept.append(tuple(each[good] for each in (members, t, end, h, x, half, new, slope, new_slope)))
        x, slope = torch.where(good[:, None], new, x), torch.where(good[:, None], new_slope, slope)
        t = torch.where(good, end, t)
        change = (SAFETY * error.double() ** (-1 / pair.order)).nan_to_num(SHRINK).clamp(SHRINK, GROW)
        step = h * torch.where(good, change, change.clamp(max=1.0))
        going = (t < last) & (step > SMALLEST_STEP) & (x.abs() < OUT_OF_BOUNDS).all(dim=-1)
        if len(kept) == BLOCK or not going.any():
            _fill(states, times, *(torch.cat(each) for each in zip(*kept, strict=True)))
            kept = []
        if not going.all():
            members, x, slope, t, step = (each[going] for each in (members, x, slope, t, step))
    return states, evaluations


def _step(
    field: Field, pair: Pair, x: State, slope: State, h: Clock, tolerance: float
) -> tuple[State, State, State, Float[Tensor, " batch"]]:
    """The states after a step and half-way, the last slope, and the errors in units of the tolerance."""
    width, new = h.to(x)[:, None], x
    slopes = x.new_empty(len(pair.step), *x.shape)
    slopes[0] = slope
    for stage, weights in enumerate(pair.stages, start=1):
        new = torch.addcmul(x, width, (weights * slopes[:stage]).sum(dim=0))
        slopes[stage] = field(new)
    if pair.step[-1] != 0:  # otherwise the last stage was the step itself
        new = torch.addcmul(x, width, (pair.step * slopes).sum(dim=0))
    half = torch.addcmul(x, width, (pair.half * slopes).sum(dim=0))
    error = width * (pair.error * slopes).sum(dim=0) / (tolerance * (1 + torch.maximum(x.abs(), new.abs())))
    return new, half, slopes[-1], error.square().mean(dim=-1).sqrt()


def _fill(
    states: Float[Tensor, "time batch state"],
    times: Float64[Tensor, " time"],
    member: Int64[Tensor, " steps"],
    begin: Float64[Tensor, " steps"],
    end: Float64[Tensor, " steps"],
    length: Float64[Tensor, " steps"],
    *around: Float[Tensor, "steps state"],
) -> None:
    """Work out the states at the times that lie within steps, by the polynomial of degree four through each."""
    first, after = (torch.searchsorted(times, clock, right=True) for clock in (begin, end))
    count = after - first
    step = torch.repeat_interleave(count)
    sample = torch.arange(len(step), device=step.device) + (first - count.cumsum(0) + count)[step]
    s = ((times[sample] - begin[step]) / length[step]).to(states)[:, None]
    width = length.to(states)[:, None]
    old, half, new, slope, new_slope = around
    rise, fall = width * slope, width * new_slope
    fourth = 2 * (fall - rise) - 8 * (old + new) + 16 * half
    third = 5 * rise - 3 * fall + 18 * old + 14 * new - 32 * half
    second = fall - 4 * rise - 11 * old - 5 * new + 16 * half
    value = fourth[step]
    for coefficient in (third, second, rise, old):
        value = value * s + coefficient[step]
    states[sample, member[step]] = value
