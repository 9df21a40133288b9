"""RK-Net: a vector field in an adaptive Runge-Kutta solver, trained by backpropagation through the solver."""

from dataclasses import dataclass
from typing import ClassVar

from learners.adaptive import AdaptiveLearner
from learners.solvers.integration import Gradient


@dataclass(frozen=True)
class RKNet(AdaptiveLearner):
    """Vector field integrated by an adaptive solver, gradients by backpropagation through its steps.

    Memory grows with the number of solver steps. Seeds are fitted one after the other.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    gradient: ClassVar[Gradient] = "backpropagation"
