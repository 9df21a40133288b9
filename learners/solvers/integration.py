"""How a learned vector field is integrated, in training and in forecasts: by which solver, with which gradients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from learners.base import SolverError
from learners.networks.fields import VectorField
from learners.networks.scales import OUT_OF_BOUNDS
from learners.networks.stacked import replicas_in
from learners.solvers.compiled import kernel_updates, stays_in_cache
from learners.solvers.compiled_adaptive import AdaptiveUpdates, Gradient
from learners.solvers.compiled_forecasts import MANY, adaptive_forecasts, fixed_forecasts
from learners.solvers.embedded import solve
from learners.solvers.pairs import MOST_STEPS
from learners.solvers.rollout import Rollout, rollout_flow
from learners.solvers.steps import EVALUATIONS, STEPS, Solver
from learners.training.training_step import Compiler
from systems.solvers.fixed import TABLEAUS, Tableau, Velocity
from systems.solvers.handover import is_plain


@dataclass(frozen=True)
class Integration:
    """A solver, the tolerances of adaptive ones (relative, and absolute), and how gradients go through it."""

    solver: Solver
    tolerance: float = 1e-4
    gradient: Gradient = "backpropagation"
    absolute: float = 0.0  # tolerance, where it is not the relative one
    substeps: int = 1  # of a fixed solver in one sampling step

    @property
    def adaptive(self) -> bool:
        """Whether steps depend on the whole batch, so that replicas in one program would set each other's."""
        return self.solver not in STEPS

    def integrate(
        self, field: nn.Module, start: Float[Tensor, "seed batch state"], count: int
    ) -> Float[Tensor, "seed batch {count} state"]:
        """The states after 1, ..., `count` sampling steps, differentiable."""
        if self.gradient == "backpropagation" and not self.adaptive:
            states = [start]
            for _ in range(count):
                states.append(self._step(field, states[-1], 1.0))
            return torch.stack(states[1:], dim=2)
        times = torch.arange(count + 1, dtype=torch.float32, device=start.device)
        solve = odeint_adjoint if self.gradient == "adjoint" else odeint
        # The first adaptive step is a sampling step.
        options = (
            {"first_step": 1.0, "max_num_steps": MOST_STEPS} if self.adaptive else {"step_size": 1.0 / self.substeps}
        )
        settings: dict[str, Any] = {
            "method": self.solver,
            "rtol": self.tolerance,
            "atol": self.absolute or self.tolerance,
        }
        try:
            solution: Any = solve(field, start, times, options=options, **settings)
        except AssertionError as failure:
            raise SolverError(f"{self.solver} at tolerance {self.tolerance:g} could not go on: {failure}") from failure
        return torch.stack(tuple(solution[1:]), dim=2)

    def compiler(self, field: VectorField, unit: Float[Tensor, " dim"]) -> Compiler | None:
        """Compiled updates of a field that is trained on errors in this unit, where the kernel can make them."""
        network = field.perceptron if self.adaptive else field.moving
        if (
            self.adaptive
            and not self.absolute
            and network is not None
            and replicas_in(network) == 1
            and stays_in_cache(network)
        ):
            how = self.solver, self.tolerance, self.gradient
            return partial(AdaptiveUpdates, network, *how, field.increment, unit)
        if self.gradient != "backpropagation" or self.solver not in TABLEAUS or network is None:
            return None
        return kernel_updates([network], self._tableau, field.increment, unit, field.pace)

    @property
    def _tableau(self) -> Tableau:
        """That of one sampling step."""
        return TABLEAUS[self.solver].repeated(self.substeps)

    def _step(self, field: Velocity, x: Tensor, h: float) -> Tensor:
        """The states a time h later, in sampling steps."""
        for _ in range(self.substeps):
            x = STEPS[self.solver](field, x, h / self.substeps)
        return x

    def integrate_irregular(
        self, field: nn.Module, start: Float[Tensor, "seed batch state"], intervals: Float[Tensor, "seed batch count"]
    ) -> Float[Tensor, "seed batch count state"]:
        """The states after intervals, in sampling steps, that differ from trajectory to trajectory; differentiable."""
        states = [start]
        for interval in intervals.unbind(2):
            states.append(self.integrate(Paced(field, interval), states[-1], 1)[:, :, 0])
        return torch.stack(states[1:], dim=2)

    def rollout(self, field: nn.Module, bound: float = OUT_OF_BOUNDS) -> Rollout:
        """How forecasts go on: of one replica by an adaptive solver, up to a bound; of any number in fixed steps."""
        if self.adaptive:
            return rollout_adaptive(field, self.solver, self.tolerance, self.absolute, bound)

        replicas = replicas_in(field)

        def step(state: Float[Tensor, "batch state"], h: float) -> Float[Tensor, "batch state"]:
            return self._step(field, state.unflatten(0, (replicas, -1)), h).flatten(0, 1)

        compiled = None
        if isinstance(field, VectorField) and self.solver in TABLEAUS:
            compiled = fixed_forecasts([field.moving], self._tableau, field.increment, field.pace)
        return rollout_flow(step, self.substeps * EVALUATIONS[self.solver], compiled)


class Paced(nn.Module):
    """A field in a time of which one unit is an interval of each trajectory's own."""

    def __init__(self, field: nn.Module, intervals: Float[Tensor, "seed batch"]) -> None:
        super().__init__()
        self.field = field
        self.intervals = intervals.unsqueeze(-1)

    def forward(self, s: float | Tensor, x: Float[Tensor, "seed batch state"]) -> Float[Tensor, "seed batch state"]:
        velocity = self.field(s, x)  # of several copies of each state, where a Jacobian is asked for
        apart = velocity.unflatten(1, (self.intervals.shape[1], -1))
        return (self.intervals.unsqueeze(2) * apart).flatten(1, 2)


def rollout_adaptive(
    field: nn.Module, solver: Solver, tolerance: float, absolute: float = 0.0, bound: float = OUT_OF_BOUNDS
) -> Rollout:
    """Return a rollout that integrates a field by an adaptive solver, whose error is bounded by the tolerances.

    A trajectory that the solver cannot follow, or that leaves the `bound`, is non-finite from there on.
    """

    def velocity(state: Float[Tensor, "batch state"]) -> Float[Tensor, "batch state"]:
        return field(0.0, state.unsqueeze(0)).squeeze(0)

    compiled = cache(partial(adaptive_forecasts, field, solver, tolerance))

    def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        times = torch.tensor(offsets, dtype=torch.float64, device=state.device)
        with torch.no_grad():
            worthwhile = offsets[-1] >= MANY and is_plain(state) and not absolute
            states, evaluations = solve(
                velocity, state, times, solver, tolerance, compiled() if worthwhile else None, absolute, bound
            )
        return states, round(float(evaluations.double().mean()))

    return propagate
