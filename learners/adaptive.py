"""Vector fields trained and rolled out through torchdiffeq's adaptive solvers, one seed after the other.

Adaptive steps depend on the whole batch, so that replicas in one program would set each other's steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torchdiffeq import odeint, odeint_adjoint

from learners.base import Budget, Predictor, SolverError
from learners.counting import counting
from learners.fields import VectorField, stacked_field
from learners.networks import Activation, replica
from learners.rollout import Rollout, StatePredictor
from learners.segments import Segments, segments_of
from learners.standard import Scales
from learners.training import Training, train
from systems import Dataset

Gradient = Literal["backpropagation", "adjoint"]
AdaptiveSolver = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"]

OUT_OF_BOUNDS = 1e3  # standard deviations beyond which a trajectory is given up as diverged
CHUNK = 256  # offsets that are solved for at a time


@dataclass(frozen=True)
class AdaptiveField:
    """How a vector field is fitted through an adaptive solver."""

    lookahead: int
    hidden: tuple[int, ...]
    activation: Activation
    solver: AdaptiveSolver
    tolerance: float
    gradient: Gradient
    training: Training

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [self._fit_one(dataset, budget, seed) for seed in seeds]

    def _fit_one(self, dataset: Dataset, budget: Budget, seed: int) -> Predictor:
        scales = Scales.of(dataset)
        field = stacked_field(scales, self.hidden, self.activation, [seed])
        solve = odeint_adjoint if self.gradient == "adjoint" else odeint
        times = torch.arange(self.lookahead + 1, dtype=torch.float32, device=scales.mean.device)

        def segment_error(segments: Segments) -> Float[Tensor, " seed"]:
            start, *truth = segments.unbind(2)
            states = _solving(solve, field, start, times, self.solver, self.tolerance)
            return scales.increments(states[1:].transpose(0, 1), torch.stack(truth, dim=1))

        data = segments_of(dataset, scales, self.lookahead + 1, [seed])
        (log,) = train(field, segment_error, data, self.training, budget, counted=[field])
        network = replica(field, 0)
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
