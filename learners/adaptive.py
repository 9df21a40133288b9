"""Vector fields trained and rolled out through torchdiffeq's adaptive solvers, one seed after the other.

Adaptive steps depend on the whole batch, so that replicas in one program would set each other's steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torchdiffeq import odeint, odeint_adjoint

from learners.base import Budget, Learner, Predictor, SolverError
from learners.counting import counting
from learners.fields import VectorField, stacked_field
from learners.networks import Activation, replica
from learners.rollout import Rollout, StatePredictor
from learners.segments import Segments, segments_of
from learners.standard import Scales
from learners.training import Training, train
from learners.validation import positive
from systems import Dataset

Gradient = Literal["backpropagation", "adjoint"]
AdaptiveSolver = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"]

OUT_OF_BOUNDS = 1e3  # standard deviations beyond which a trajectory is given up as diverged
CHUNK = 256  # offsets that are solved for at a time


@dataclass(frozen=True)
class AdaptiveLearner(Learner):
    """Vector field integrated by an adaptive solver. Seeds are fitted one after the other."""

    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units of each layer
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    solver: AdaptiveSolver = "dopri5"
    tolerance: float = 1e-4  # relative and absolute, of standardised states
    training: Training = field(default_factory=lambda: Training(updates=1_000))

    gradient: ClassVar[Gradient]

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth", "tolerance")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [self._fit_one(dataset, budget, seed) for seed in seeds]

    def _fit_one(self, dataset: Dataset, budget: Budget, seed: int) -> Predictor:
        scales = Scales.of(dataset)
        stack = stacked_field(scales, [self.width] * self.depth, self.activation, [seed])
        solve = odeint_adjoint if self.gradient == "adjoint" else odeint
        times = torch.arange(self.lookahead + 1, dtype=torch.float32, device=scales.mean.device)

        def segment_error(segments: Segments) -> Float[Tensor, " seed"]:
            states = _solving(solve, stack, segments[:, :, 0], times, self.solver, self.tolerance)
            return scales.increments(torch.stack(tuple(states[1:]), dim=2), segments[:, :, 1:])

        data = segments_of(dataset, scales, self.lookahead + 1, [seed])
        (log,) = train(stack, segment_error, data, self.training, budget, counted=[stack])
        network = replica(stack, 0)
        return StatePredictor(network, scales, log, adaptive(network, self.solver, self.tolerance))


def adaptive(field: VectorField, solver: AdaptiveSolver, tolerance: float) -> Rollout:
    """Roll a field on by an adaptive solver, a chunk of offsets at a time.

    A trajectory that leaves the bounds, or that the solver cannot follow, is non-finite from there on.
    """

    def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        times = torch.tensor([0.0, *offsets], dtype=torch.float64, device=state.device)
        chunks = []
        with counting([field]) as tally:
            for begin in range(0, len(offsets), CHUNK):
                chunk = times[begin : begin + CHUNK + 1]
                chunks.append(_follow(field, state, chunk - chunk[0], solver, tolerance))
                state = chunks[-1][-1]
        return torch.cat(chunks), tally.take()

    return propagate


def _follow(
    field: VectorField, state: Tensor, times: Tensor, solver: AdaptiveSolver, tolerance: float
) -> Float[Tensor, "time batch dim"]:
    """States at times[1:]; what cannot be solved together is solved in halves, down to the trajectory at fault."""
    states = torch.full((len(times) - 1, *state.shape), torch.nan, dtype=state.dtype, device=state.device)
    alive = (state.abs() < OUT_OF_BOUNDS).all(dim=-1).nonzero().squeeze(-1)
    if not len(alive):
        return states
    try:
        states[:, alive] = _solving(odeint, field, state[alive][None], times, solver, tolerance)[1:, 0]
    except SolverError:
        if len(alive) > 1:
            for half in alive.tensor_split(2):
                states[:, half] = _follow(field, state[half], times, solver, tolerance)
    return states


def _solving(
    solve: Callable[..., Any], field: VectorField, start: Tensor, times: Tensor, solver: str, tolerance: float
) -> Float[Tensor, "time seed batch dim"]:
    """torchdiffeq's solution, its failures as SolverError. The first step that it tries is one sampling step."""
    try:
        return solve(field, start, times, method=solver, rtol=tolerance, atol=tolerance, options={"first_step": 1.0})
    except AssertionError as failure:
        raise SolverError(f"{solver} at tolerance {tolerance:g} could not go on: {failure}") from failure
