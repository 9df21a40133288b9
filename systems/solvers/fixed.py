"""Fixed steps of explicit Runge-Kutta methods: their tableaus, and the steps in the fewest operations on tensors.

Those of `STEPS` are torchdiffeq's schemes of the same names, its `rk4` being the 3/8 rule of Kutta. Each step is
written out, since sums of slopes in another order round otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Velocity = Callable[[float, Tensor], Tensor]
Step = Callable[[Velocity, Tensor, float], Tensor]  # the states that a time h after states x follow from a velocity


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: what each stage takes of the slopes before it, and the step of all of them."""

    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]

    def repeated(self, count: int) -> "Tableau":
        """The method whose one step is so many of this one, each as long as all the others."""
        share = tuple(weight / count for weight in self.weights)
        stages = tuple(
            share * step + tuple(coefficient / count for coefficient in stage)
            for step in range(count)
            for stage in self.stages
        )
        return Tableau(stages, share * count)


TABLEAUS = {
    "euler": Tableau(((),), (1.0,)),
    "midpoint": Tableau(((), (0.5,)), (0.0, 1.0)),
    "rk4": Tableau(((), (1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)), (1 / 8, 3 / 8, 3 / 8, 1 / 8)),
}


def euler(velocity: Velocity, x: Tensor, h: float) -> Tensor:
    """First order, one evaluation."""
    return torch.add(x, velocity(0.0, x), alpha=h)


def midpoint(velocity: Velocity, x: Tensor, h: float) -> Tensor:
    """Second order, two evaluations."""
    return torch.add(x, velocity(h / 2, torch.add(x, velocity(0.0, x), alpha=h / 2)), alpha=h)


def rk4(velocity: Velocity, x: Tensor, h: float) -> Tensor:
    """Fourth order, four evaluations: the 3/8 rule."""
    k1 = velocity(0.0, x)
    k2 = velocity(h / 3, torch.add(x, k1, alpha=h / 3))
    k3 = velocity(2 * h / 3, torch.add(x, torch.sub(k2, k1, alpha=1 / 3), alpha=h))
    k4 = velocity(h, torch.add(x, k1 - k2 + k3, alpha=h))
    return torch.add(x, torch.add(k1 + k4, k2 + k3, alpha=3), alpha=h / 8)


def classical_rk4(velocity: Velocity, x: Tensor, h: float) -> Tensor:
    """Fourth order, four evaluations: the classical scheme, of a velocity that does not depend on time."""
    k1 = velocity(0.0, x)
    k2 = velocity(0.0, x + h / 2 * k1)
    k3 = velocity(0.0, x + h / 2 * k2)
    k4 = velocity(0.0, x + h * k3)
    return x + h / 6 * (k1 + 2 * (k2 + k3) + k4)


STEPS: dict[str, Step] = {"euler": euler, "midpoint": midpoint, "rk4": rk4}
EVALUATIONS = {name: len(tableau.weights) for name, tableau in TABLEAUS.items()}
