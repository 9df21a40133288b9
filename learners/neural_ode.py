"""Neural ODE with lookahead: a vector field trained through a fixed-step solver on short segments."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.fields import VectorField, stacked_field
from learners.networks import Activation, replica
from learners.rollout import StatePredictor, substeps
from learners.segments import Segments, segments_of
from learners.solvers import EVALUATIONS, STEPS, Solver
from learners.standard import Scales
from learners.training import Training, train
from learners.validation import positive
from systems import Dataset


@dataclass(frozen=True)
class NeuralODE(Learner):
    """Vector field trained on short look-ahead segments.

    dx/dt = f(x; w), integrated by a fixed-step Runge-Kutta scheme at the sampling step; every sample starts a segment.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units of each layer
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    solver: Solver = "rk4"
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        scales = Scales.of(dataset)
        stack = stacked_field(scales, [self.width] * self.depth, self.activation, seeds)
        step = STEPS[self.solver]

        def segment_error(segments: Segments) -> Float[Tensor, " seed"]:
            state, predicted = segments[:, :, 0], []
            for _ in range(self.lookahead):
                state = step(stack, state, 1.0)
                predicted.append(state)
            return scales.increments(torch.stack(predicted, dim=2), segments[:, :, 1:])

        data = segments_of(dataset, scales, self.lookahead + 1, seeds)
        logs = train(stack, segment_error, data, self.training, budget, counted=[stack])
        return [self._predictor(replica(stack, index), scales, log) for index, log in enumerate(logs)]

    def _predictor(self, network: VectorField, scales: Scales, log: TrainingLog) -> Predictor:
        def step(state: Float[Tensor, "batch dim"], h: float) -> Float[Tensor, "batch dim"]:
            return STEPS[self.solver](network, state.unsqueeze(0), h).squeeze(0)

        return StatePredictor(network, scales, log, substeps(step, EVALUATIONS[self.solver]))
