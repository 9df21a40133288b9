"""Forecasts of perceptrons by compiled code: in fixed steps, or in adaptive ones, of which each state has its own."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64
from torch import Tensor, nn

from learners.networks.fields import VectorField
from learners.networks.scales import OUT_OF_BOUNDS
from learners.networks.stacked import StackedMLP, replicas_in
from learners.solvers.compiled import KernelUpdates, compilable
from learners.solvers.pairs import GROW, MOST_STEPS, SAFETY, SHRINK, SMALLEST_STEP, pair_named
from systems.solvers.fixed import Tableau

MANY = 4  # sampling steps, for fewer of which compiled code is not worth while


def fixed_forecasts(
    networks: Iterable[nn.Module | None], tableau: Tableau, increment: Float[Tensor, " state"], pace: float = 0.0
) -> "Callable[[], FixedForecasts] | None":
    """The function that makes `FixedForecasts`, once; None where there is no kernel for the networks."""
    perceptrons = compilable(networks)
    return cache(partial(FixedForecasts, perceptrons, tableau, increment, pace)) if perceptrons else None


def adaptive_forecasts(field: nn.Module, solver: str, tolerance: float) -> "AdaptiveForecasts | None":
    """Forecasts of a field by compiled code; None unless it is a perceptron of one replica, and there is a kernel."""
    perceptrons = compilable([field.perceptron]) if isinstance(field, VectorField) else None
    if perceptrons is None or replicas_in(perceptrons[0]) > 1:
        return None
    return AdaptiveForecasts(perceptrons[0], field.get_buffer("increment"), solver, tolerance)


class Mirror:
    """A copy of networks, whose parameters a kernel may move, and which takes over their values when it is asked to."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.networks: list[Any] = [deepcopy(network) for network in networks]
        self.live = [parameter for network in networks for parameter in network.parameters()]
        self.own = [parameter for network in self.networks for parameter in network.parameters()]

    def refresh(self) -> None:
        for own, live in zip(self.own, self.live, strict=True):
            own.detach().numpy()[...] = live.detach().numpy()


class FixedForecasts:
    """Forecasts x <- x + h f(x) of a stack of perceptrons, with the weights that they have when they are called.

    Where there is a pace, states end with the time, to which each sampling step adds it.
    """

    def __init__(
        self, networks: Sequence[StackedMLP], tableau: Tableau, increment: Float[Tensor, " coordinate"], pace: float
    ) -> None:
        from learners.solvers import forecasts  # which takes seconds to compile

        self.forecasts = forecasts
        self.mirror = Mirror(networks)
        kernel = KernelUpdates(self.mirror.networks, tableau, increment, increment, 1.0)
        self.plan = kernel.plan._replace(slots=1)
        self.weights = kernel.weights
        self.coordinates = len(increment)
        self.pace = pace

    def __call__(self, state: Float[Tensor, "batch state"], count: int) -> Float[Tensor, "time batch state"]:
        """The states after 1, ..., `count` sampling steps, of as many replicas as there are, in turns."""
        return self.in_steps(state, torch.ones(count))

    def in_steps(
        self, state: Float[Tensor, "batch state"], lengths: Float32[Tensor, " time"]
    ) -> Float[Tensor, "time batch state"]:
        """The states after each of some steps, whose lengths are in sampling steps."""
        self.mirror.refresh()
        start = state[:, : self.coordinates].unflatten(0, (len(self.weights), -1)).contiguous()
        found = start.new_empty(len(lengths), *start.shape)
        self.forecasts.roll(self.plan, self.weights, start.numpy(), lengths.numpy(), found.numpy())
        states = found.flatten(1, 2)
        if not self.pace:
            return states
        clock = state[:, self.coordinates :] + self.pace * lengths.cumsum(0)[:, None, None]
        return torch.cat([states, clock], dim=-1)


class AdaptiveForecasts:
    """Forecasts of a perceptron of one replica as a field, with the weights that it has when they are called."""

    def __init__(
        self, perceptron: StackedMLP, increment: Float[Tensor, " state"], solver: str, tolerance: float
    ) -> None:
        from learners.solvers import forecasts  # which takes seconds to compile

        pair = pair_named(solver)
        unused = Tableau(((),) * len(pair.step), (0.0,) * len(pair.step))  # steps are given the pair's own table
        self.forecasts = forecasts
        self.mirror = Mirror([perceptron])
        kernel = KernelUpdates(self.mirror.networks, unused, increment, increment, 1.0)
        self.plan = kernel.plan._replace(slots=1)
        self.weights = kernel.weights[0]
        self.table = torch.stack([*pair.matrix, pair.step, pair.error, pair.half]).float().numpy()
        self.tolerance = tolerance
        self.order = pair.order

    def __call__(
        self, start: Float[Tensor, "batch state"], times: Float64[Tensor, " time"], bound: float = OUT_OF_BOUNDS
    ) -> tuple[Float[Tensor, "time batch state"], Int64[Tensor, " batch"], Bool[Tensor, " batch"]]:
        """States at increasing times, each trajectory's evaluations, and whether it took too many: as `solve` does."""
        self.mirror.refresh()
        states = start.new_full((len(times), *start.shape), torch.nan)
        evaluations = torch.ones(len(start), dtype=torch.int64)
        stiff = torch.zeros(len(start), dtype=torch.bool)
        control = SHRINK, GROW, SAFETY, bound, float(MOST_STEPS), SMALLEST_STEP
        given = start.contiguous().numpy(), times.numpy()
        found = states.numpy(), evaluations.numpy(), stiff.numpy()
        self.forecasts.follow(
            self.plan, self.weights, self.table, self.tolerance, float(self.order), control, *given, *found
        )
        return states, evaluations, stiff
