"""A solve inside an optimisation: with what parameters do Lotka's and Volterra's rabbits stay as many as they are?

After "DiffEqFlux": x' = a x - b x y, y' = -d y + g x y on [0, 10] from (1, 1), at first with (a, b, d, g) = (2.2, 1, 2,
0.4). The sum of (x(t) - 1)^2 is brought down by Adam at 0.1 in 100 iterations.
`python docs/examples/rabbits.py` prints it.
"""

import sys
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torchdiffeq import odeint

from systems import LotkaVolterra

START = {"a": 2.2, "b": 1.0, "d": 2.0, "g": 0.4}
TIMES = torch.linspace(0, 10, 101, dtype=torch.float64)


def rabbits(parameters: dict[str, Tensor]) -> Tensor:
    """Their number at each of the times."""
    flow: Any = replace(LotkaVolterra(), **parameters)
    solution: Any = odeint(flow.velocity, torch.ones(2, dtype=torch.float64), TIMES, rtol=1e-6, atol=1e-8)
    return solution[:, 0]


def keep_at_one(iterations: int = 100) -> tuple[dict[str, float], list[float]]:
    """The parameters that are found, and the cost before each iteration and after the last."""
    parameters = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in START.items()}
    optimiser, costs = torch.optim.Adam(list(parameters.values()), lr=0.1), []
    for _ in range(iterations):
        optimiser.zero_grad()
        cost = (rabbits(parameters) - 1).square().sum()
        cost.backward()
        costs.append(float(cost.detach()))
        optimiser.step()
    with torch.no_grad():
        costs.append(float((rabbits(parameters) - 1).square().sum()))
    return {name: float(value.detach()) for name, value in parameters.items()}, costs


if __name__ == "__main__":
    found, costs = keep_at_one()
    for iteration in (*range(0, 100, 10), 100):
        sys.stdout.write(f"iteration {iteration:3}: sum of (x - 1)^2 = {costs[iteration]:.4g}\n")
    sys.stdout.write(", ".join(f"{name} = {value:.3f}" for name, value in found.items()) + "\n")
