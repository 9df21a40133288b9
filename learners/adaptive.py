"""Neural ODEs in adaptive solvers, which differ in how gradients are taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar

from learners.base import Budget, Learner, Predictor
from learners.networks.stacked import Activation
from learners.neural_ode import NeuralODE
from learners.solvers.integration import Gradient
from learners.solvers.steps import Adaptive
from learners.training.loop import Training
from learners.validation import flows_only, positive
from systems import Dataset


@dataclass(frozen=True)
class AdaptiveLearner(Learner):
    """Vector field integrated by an adaptive solver. Seeds are fitted one after the other."""

    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units of each layer
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    solver: Adaptive = "dopri5"
    tolerance: float = 1e-4  # relative and absolute, of standardised states
    training: Training = field(
        default_factory=lambda: Training(updates=2_800, learning_rate=3e-3, clip=1e9, optimiser="soap")
    )

    gradient: ClassVar[Gradient]

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth", "tolerance")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        flows_only(self, dataset)
        settings = {item.name: getattr(self, item.name) for item in fields(self)}
        return NeuralODE(gradient=self.gradient, **settings).fit_replicas(dataset, budget, seeds)


@dataclass(frozen=True)
class RKNet(AdaptiveLearner):
    """Vector field integrated by an adaptive solver, gradients by backpropagation through its steps.

    Memory grows with the number of solver steps. Seeds are fitted one after the other.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    gradient: ClassVar[Gradient] = "backpropagation"


@dataclass(frozen=True)
class ODENet(AdaptiveLearner):
    """Vector field integrated by an adaptive solver, gradients by the adjoint equation, solved backwards in time.

    Memory does not grow with the number of solver steps. Seeds are fitted one after the other.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    training: Training = field(
        default_factory=lambda: Training(updates=2_300, learning_rate=3e-3, clip=1e9, optimiser="soap")
    )

    gradient: ClassVar[Gradient] = "adjoint"
