"""The solvers of learned vector fields by name, and the steps of those that are fixed."""

from typing import Literal

from learners.solvers.rosenbrock import rosenbrock
from systems.solvers import fixed

FixedStep = Literal["euler", "midpoint", "rk4", "rosenbrock"]
Adaptive = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"]
Solver = Literal[FixedStep, Adaptive]

STEPS: dict[str, fixed.Step] = {**fixed.STEPS, "rosenbrock": rosenbrock}
EVALUATIONS = {**fixed.EVALUATIONS, "rosenbrock": 3}  # a Jacobian counts as one
