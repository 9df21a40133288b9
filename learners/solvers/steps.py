"""The solvers of learned vector fields by name, and the steps of those that are fixed.

The same schemes as torchdiffeq's of the same names, its `rk4` being the 3/8 rule of Kutta.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from learners.solvers.rosenbrock import rosenbrock

Field = Callable[[float, Tensor], Tensor]
FixedStep = Literal["euler", "midpoint", "rk4", "rosenbrock"]
Adaptive = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"]
Solver = Literal[FixedStep, Adaptive]


def euler(field: Field, x: Tensor, h: float) -> Tensor:
    """First order, one evaluation."""
    return torch.add(x, field(0.0, x), alpha=h)


def midpoint(field: Field, x: Tensor, h: float) -> Tensor:
    """Second order, two evaluations."""
    return torch.add(x, field(h / 2, torch.add(x, field(0.0, x), alpha=h / 2)), alpha=h)


def rk4(field: Field, x: Tensor, h: float) -> Tensor:
    """Fourth order, four evaluations."""
    k1 = field(0.0, x)
    k2 = field(h / 3, torch.add(x, k1, alpha=h / 3))
    k3 = field(2 * h / 3, torch.add(x, torch.sub(k2, k1, alpha=1 / 3), alpha=h))
    k4 = field(h, torch.add(x, k1 - k2 + k3, alpha=h))
    return torch.add(x, torch.add(k1 + k4, k2 + k3, alpha=3), alpha=h / 8)


STEPS: dict[str, Callable[[Field, Tensor, float], Tensor]] = {
    "euler": euler,
    "midpoint": midpoint,
    "rk4": rk4,
    "rosenbrock": rosenbrock,
}
EVALUATIONS: dict[str, int] = {"euler": 1, "midpoint": 2, "rk4": 4, "rosenbrock": 3}  # a Jacobian counts as one
