"""How the solution of known equations depends on their parameters and on where it starts, to about nine digits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.base import Unsuitable
from learners.solvers.steps import STEPS
from systems import Flow
from systems.configuration import label

NUDGE = 1e-5  # relative to 1 + |value|: central differences in float64 are most accurate about there
MEMBERS, STATES = 3, 2  # by which it is found out how a velocity is written: as many could be taken for each other


@dataclass(frozen=True)
class Sensitivities:
    """A solution, and its derivatives by every parameter and, where they were asked for, by the start's channels."""

    states: Float64[Tensor, "*stack batch time dim"]
    by_parameters: Float64[Tensor, "parameter *stack batch time dim"]
    by_start: Float64[Tensor, "channel *stack batch time dim"]


def integrate(
    flow: Flow, start: Float64[Tensor, "*stack batch dim"], times: Float64[Tensor, "*clocks batch time"], substeps: int
) -> Float64[Tensor, "*stack batch time dim"]:
    """States at `times`, the first of which is that of `start`, by `substeps` Runge-Kutta steps between any two.

    The scheme is torchdiffeq's `rk4`; each trajectory has a clock of its own.
    """

    def field(s: float, x: Tensor, begin: Tensor, width: Tensor) -> Tensor:
        return width[..., None] * flow.velocity(begin + s * width, x)

    state = start
    states = [start]
    for begin, width in zip(times[..., :-1].unbind(-1), (times.diff(dim=-1) / substeps).unbind(-1), strict=True):
        for step in range(substeps):
            state = STEPS["rk4"](partial(field, begin=begin + step * width, width=width), state, 1.0)
        states.append(state)
    return torch.stack(states, dim=-2)


def sensitivities(
    flow: Flow,
    values: Mapping[str, Float64[Tensor, "*stack"]],
    start: Float64[Tensor, "*stack batch dim"],
    times: Float64[Tensor, "*clocks batch time"],
    substeps: int,
    free_start: bool = True,
) -> Sensitivities:
    """Solve the equations with these parameters, and differentiate by central differences, all in one pass."""
    count = len(values)
    dim = start.shape[-1] * free_start
    copies = 1 + 2 * (count + dim)
    starts = start.expand(copies, *start.shape).clone()
    nudged = {name: value.expand(copies, *value.shape).clone() for name, value in values.items()}
    places = [*nudged.values(), *starts.unbind(-1)][: count + dim]
    widths = []
    for index, place in enumerate(places):
        nudge = NUDGE * (1 + place[0].abs())
        place[1 + 2 * index] += nudge
        place[2 + 2 * index] -= nudge
        widths.append(place[1 + 2 * index] - place[2 + 2 * index])
    with torch.no_grad():
        single = {name: value.flatten()[0] for name, value in values.items()}
        axes = parameter_axes(flow, single, start.flatten(0, -2)[0])
        varied = with_values(flow, {name: value[(..., *[None] * axes)] for name, value in nudged.items()})
        solved = integrate(varied, starts, times, substeps)
    states, forward, backward = solved[0], solved[1::2], solved[2::2]
    spans = [width.view(*width.shape, *[1] * (states.dim() - width.dim())) for width in widths]
    slopes = torch.stack([(up - down) / span for up, down, span in zip(forward, backward, spans, strict=True)])
    return Sensitivities(states, slopes[:count], slopes[count:])


def parameter_axes(flow: Flow, values: Mapping[str, Tensor], state: Float[Tensor, " dim"]) -> int:
    """How many axes must follow a stack of parameters so that each member of the stack is moved by its own.

    One for a velocity that is written out channel by channel, two for one written for all channels at once. Found by
    members whose parameters differ by a tenth, near a state. Raises Unsuitable where a parameter is neither.
    """
    members = torch.arange(1.0, MEMBERS + 1, dtype=state.dtype, device=state.device) / 10
    several = {name: value + members * (1 + value.abs()) for name, value in values.items()}
    states = (state * torch.linspace(0.9, 1.1, STATES, dtype=state.dtype, device=state.device)[:, None]).expand(
        MEMBERS, -1, -1
    )
    alone = [with_values(flow, {name: value[member] for name, value in several.items()}) for member in range(MEMBERS)]
    wanted = torch.stack([one.velocity(0.0, states[0]) for one in alone])
    for axes in (1, 2):
        try:
            stacked = with_values(flow, {name: value[(..., *[None] * axes)] for name, value in several.items()})
            found = stacked.velocity(0.0, states)
        except RuntimeError:
            continue
        if found.shape == states.shape and torch.allclose(found, wanted, rtol=1e-4, equal_nan=True):
            return axes
    raise Unsuitable(f"the parameters {', '.join(values)} of {label(flow)} cannot be learned: its velocity mixes them")


def with_values(flow: Flow, values: Mapping[str, Tensor]) -> Flow:
    """The flow with parameters replaced by tensors."""
    return replace(flow, **values)


def real_parameters(flow: Flow) -> Sequence[str]:
    """The names of the parameters that are real numbers, and so can be learned."""
    return [name for name, value in vars(flow).items() if isinstance(value, float)]
