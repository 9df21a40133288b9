"""Embedded Runge-Kutta pairs that give each trajectory a clock and steps of its own: for forecasts, without gradients.

The pairs and their continuous extensions are those by which torchdiffeq trains. Its solvers share one step among all
trajectories, so that each would depend on its neighbours, and one that is lost would hold up the rest.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from learners.base import SolverError
from learners.networks.scales import OUT_OF_BOUNDS
from learners.solvers.compiled_forecasts import AdaptiveForecasts
from learners.solvers.pairs import GROW, MOST_STEPS, SAFETY, SHRINK, SMALLEST_STEP, pair_named
from systems.solvers.adaptive import Embedded, Steps

State = Float[Tensor, "batch state"]
Clock = Float64[Tensor, " batch"]
VectorField = Callable[[State], State]


def solve(
    field: VectorField,
    start: State,
    times: Float64[Tensor, " time"],
    solver: str,
    tolerance: float,
    compiled: AdaptiveForecasts | None = None,
    absolute: float = 0.0,
    bound: float = OUT_OF_BOUNDS,
) -> tuple[Float[Tensor, "time batch state"], Int64[Tensor, " batch"]]:
    """Solve dx/dt = field(x) by an embedded pair.

    The error of a step is the root mean square over the state, relative to `tolerance` and, unless `absolute` is given,
    also absolute. A trajectory that leaves the bound, whose steps become too small, or that needs more than 500 steps
    a sampling step, on average from its start, is non-finite from there on. Raises SolverError where all need more:
    their field is too stiff for an explicit pair.

    Args:
        times: increasing and positive, in sampling steps.
        solver: a name of torchdiffeq's.
        compiled: follows the same field.
        bound: of the size of each channel.

    Returns:
        States at `times`, and each trajectory's evaluations of the field.
    """
    if compiled is not None:
        states, evaluations, stiff = compiled(start, times, bound)
    else:
        states, evaluations, stiff = _follow(_Pair(field, solver, tolerance, start, absolute, bound), start, times)
    bounded = _is_bounded(start, bound)
    if bounded.any() and stiff[bounded].all():
        raise SolverError(
            f"the learned field is too stiff for {solver}: {MOST_STEPS} steps do not reach the next sample"
        )
    return states, evaluations


def _follow(
    pair: "_Pair", start: State, times: Float64[Tensor, " time"]
) -> tuple[Float[Tensor, "time batch state"], Int64[Tensor, " batch"], Bool[Tensor, " batch"]]:
    states = start.new_full((len(times), *start.shape), torch.nan)
    (members,) = _is_bounded(start, pair.bound).nonzero(as_tuple=True)
    t = times.new_zeros(len(members))
    pair.integrate(
        members,
        t,
        times[-1].expand_as(t),
        start[members],
        torch.ones_like(t),
        lambda steps: _fill(states, times, steps),
    )
    return states, pair.evaluations, pair.is_stiff


class _Pair(Embedded):
    """A method of torchdiffeq's on the states of one batch."""

    arrays = torch

    def __init__(
        self, field: VectorField, solver: str, tolerance: float, start: State, absolute: float, bound: float
    ) -> None:
        pair = pair_named(solver)
        rows = *(row[:stage] for stage, row in enumerate(pair.matrix)), pair.step, pair.error, pair.half
        _, *self.stages, self.step, self.error, self.half = (row.to(start)[:, None, None] for row in rows)
        self.order = pair.order
        self.field, self.tolerance, self.bound = field, tolerance, bound
        self.least = absolute / tolerance if absolute else 1.0  # size that a state counts as having at the least
        self.evaluations = torch.ones(len(start), dtype=torch.int64, device=start.device)
        self.is_stiff = torch.zeros_like(self.evaluations, dtype=torch.bool)

    def velocity(self, t: Clock, x: State) -> State:
        return self.field(x)

    def attempt(
        self, trajectory: Int64[Tensor, " batch"], t: Clock, x: State, slope: State, h: Clock
    ) -> tuple[State, Float[Tensor, "3 batch state"], Float[Tensor, " batch"]]:
        """The new states; the states half-way, the first slopes and the last; the errors in tolerances."""
        self.evaluations[trajectory] += len(self.stages)
        width = h.to(x)[:, None]
        new = x
        slopes = x.new_empty(len(self.step), *x.shape)
        slopes[0] = slope
        for stage, weights in enumerate(self.stages, start=1):
            new = torch.addcmul(x, width, (weights * slopes[:stage]).sum(dim=0))
            slopes[stage] = self.field(new)
        if self.step[-1] != 0:  # otherwise the last stage was the step itself
            new = torch.addcmul(x, width, (self.step * slopes).sum(dim=0))
        half = torch.addcmul(x, width, (self.half * slopes).sum(dim=0))
        error = (
            width
            * (self.error * slopes).sum(dim=0)
            / (self.tolerance * (self.least + torch.maximum(x.abs(), new.abs())))
        )
        return new, torch.stack([half, slope, slopes[-1]]), error.square().mean(dim=-1).sqrt()

    def resize(self, h: Clock, error: Float[Tensor, " batch"], accepted: Bool[Tensor, " batch"]) -> Clock:
        change = (SAFETY * error.double() ** (-1 / self.order)).nan_to_num(SHRINK).clamp(SHRINK, GROW)
        return h * torch.where(accepted, change, change.clamp(max=1.0))

    def continues(
        self, trajectory: Int64[Tensor, " batch"], t: Clock, last: Clock, x: State, step: Clock
    ) -> Bool[Tensor, " batch"]:
        stiff = (t < last) & (self.evaluations[trajectory] > MOST_STEPS * len(self.stages) * (1 + t))
        self.is_stiff[trajectory] |= stiff
        return (t < last) & ~stiff & (step > SMALLEST_STEP) & _is_bounded(x, self.bound)


def _is_bounded(x: State, bound: float) -> Bool[Tensor, " batch"]:
    return (x.abs() < bound).all(dim=-1)


def _fill(states: Float[Tensor, "time batch state"], times: Float64[Tensor, " time"], steps: Steps) -> None:
    """Work out the states at the times that lie within steps, by the polynomial of degree four through each."""
    first, after = (torch.searchsorted(times, clock, right=True) for clock in (steps.begin, steps.end))
    count = after - first
    step = torch.repeat_interleave(count)
    sample = torch.arange(len(step), device=step.device) + (first - count.cumsum(0) + count)[step]
    s = ((times[sample] - steps.begin[step]) / steps.length[step]).to(states)[:, None]
    width = steps.length.to(states)[:, None]
    old, new = steps.old, steps.new
    half, slope, new_slope = steps.slopes
    rise, fall = width * slope, width * new_slope
    fourth = 2 * (fall - rise) - 8 * (old + new) + 16 * half
    third = 5 * rise - 3 * fall + 18 * old + 14 * new - 32 * half
    second = fall - 4 * rise - 11 * old - 5 * new + 16 * half
    value = fourth[step]
    for coefficient in (third, second, rise, old):
        value = value * s + coefficient[step]
    states[sample, steps.trajectory[step]] = value
