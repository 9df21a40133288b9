"""ODE-Net: a vector field in an adaptive solver, trained by the adjoint method."""

from dataclasses import dataclass
from typing import ClassVar

from learners.adaptive import AdaptiveLearner
from learners.solvers.integration import Gradient


@dataclass(frozen=True)
class ODENet(AdaptiveLearner):
    """Vector field integrated by an adaptive solver, gradients by the adjoint equation, solved backwards in time.

    Memory does not grow with the number of solver steps. Seeds are fitted one after the other.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    gradient: ClassVar[Gradient] = "adjoint"
