"""A solve inside an optimisation: with what parameters do Lotka's and Volterra's rabbits stay as many as they are?

After "DiffEqFlux": x' = a x - b x y, y' = -d y + g x y on [0, 10] from (1, 1), at first with (a, b, d, g) = (2.2, 1, 2,
0.4). The sum of (x(t) - 1)^2 is brought down by Adam at 0.1 in 100 iterations. Where a solve starts and ends may depend
on the parameters, too: `depending` starts it from (b, g), and ends it at 10 g / 0.4.
`python docs/examples/rabbits.py` prints it; with `--film rabbits.gif` it draws the curve of each iteration, too.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torchdiffeq import odeint

from systems import LotkaVolterra

START = {"a": 2.2, "b": 1.0, "d": 2.0, "g": 0.4}
TIMES = torch.linspace(0, 10, 101, dtype=torch.float64)


def rabbits(parameters: dict[str, Tensor], depending: bool = False) -> Tensor:
    """Their number at each of the times; from where and until when depends on the parameters, or does not."""
    flow: Any = replace(LotkaVolterra(), **parameters)
    start, times = torch.ones(2, dtype=torch.float64), TIMES
    if depending:
        start, times = torch.stack([parameters["b"], parameters["g"]]), TIMES * parameters["g"] / START["g"]
    solution: Any = odeint(flow.velocity, start, times, rtol=1e-6, atol=1e-8)
    return solution[:, 0]


def keep_at_one(iterations: int = 100, depending: bool = False) -> tuple[dict[str, float], list[float], list[Tensor]]:
    """The parameters that are found, and the cost and the rabbits before each iteration and after the last."""
    parameters = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in START.items()}
    optimiser, costs, courses = torch.optim.Adam(list(parameters.values()), lr=0.1), [], []
    for iteration in range(iterations + 1):
        optimiser.zero_grad()
        course = rabbits(parameters, depending)
        cost = (course - 1).square().sum()
        costs.append(float(cost.detach()))
        courses.append(course.detach())
        if iteration < iterations:
            cost.backward()
            optimiser.step()
    return {name: float(value.detach()) for name, value in parameters.items()}, costs, courses


def film(courses: Sequence[Tensor], costs: Sequence[float], file: str) -> None:
    """Draw the rabbits of each iteration over time, as an animation."""
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.axhline(1, color="0.7", linewidth=3)
    (line,) = axes.plot(TIMES, courses[0])
    axes.set(xlabel="time", ylabel="rabbits", ylim=(0, 4))

    def draw(iteration: int) -> list[Any]:
        line.set_ydata(courses[iteration])
        axes.set_title(f"iteration {iteration}: sum of $(x - 1)^2$ = {costs[iteration]:.3g}", loc="left")
        return [line]

    FuncAnimation(figure, draw, frames=len(courses)).save(file, writer="pillow", fps=10)


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--film", help="a GIF")
    parser.add_argument("--depending", action="store_true", help="start and end depend on the parameters")
    given = parser.parse_args()
    found, costs, courses = keep_at_one(depending=given.depending)
    for iteration in (*range(0, 100, 10), 100):
        sys.stdout.write(f"iteration {iteration:3}: sum of (x - 1)^2 = {costs[iteration]:.4g}\n")
    sys.stdout.write(", ".join(f"{name} = {value:.3f}" for name, value in found.items()) + "\n")
    if given.film:
        film(courses, costs, given.film)
