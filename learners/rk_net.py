"""RK-Net: a vector field in an adaptive Runge-Kutta solver, trained by backpropagation through the solver."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from learners.adaptive import AdaptiveField, AdaptiveSolver
from learners.base import Budget, Learner, Predictor
from learners.networks import Activation
from learners.training import Training
from learners.validation import positive
from systems import Dataset


@dataclass(frozen=True)
class RKNet(Learner):
    """Vector field integrated by an adaptive solver, gradients by backpropagation through its steps.

    Memory grows with the number of solver steps. Seeds are fitted one after the other.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units of each layer
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    solver: AdaptiveSolver = "dopri5"
    tolerance: float = 1e-4  # relative and absolute, of standardised states
    training: Training = field(default_factory=lambda: Training(updates=1_000))

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth", "tolerance")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        hidden = (self.width,) * self.depth
        method = AdaptiveField(
            self.lookahead, hidden, self.activation, self.solver, self.tolerance, "backpropagation", self.training
        )
        return method.fit(dataset, budget, seeds)
