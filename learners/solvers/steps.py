"""The solvers of learned vector fields by name, and the steps of those that are fixed."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

from systems.solvers import fixed

FixedStep = Literal["euler", "midpoint", "rk4", "rosenbrock"]
Adaptive = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"]
Solver = Literal[FixedStep, Adaptive]

GAMMA = 1 - 0.5**0.5  # with it the scheme damps what is infinitely stiff


def rosenbrock(field: Callable[[float, Tensor], Tensor], x: Float[Tensor, "*batch dim"], h: float) -> Tensor:
    """Second order and L-stable: two evaluations, one Jacobian, and no iterations.

    (1 - g h J) k1 = f(x),  (1 - g h J) k2 = f(x + h k1) - 2 k1,  x + 3/2 h k1 + 1/2 h k2, with g = 1 - 1 / sqrt 2.

    Verwer, Spee, Blom and Hundsdorfer, "A second-order Rosenbrock method applied to photochemical dispersion problems",
    SIAM Journal on Scientific Computing 20, 1999.
    """
    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    matrix = identity - GAMMA * h * jacobian(field, x)
    # Without a check, which makes the program wait for a GPU: no step of a singular matrix is finite.
    first, _ = torch.linalg.solve_ex(matrix, field(0.0, x))
    second, _ = torch.linalg.solve_ex(matrix, field(0.0, torch.add(x, first, alpha=h)) - 2 * first)
    return x + h * (1.5 * first + 0.5 * second)


def jacobian(
    field: Callable[[float, Tensor], Tensor], x: Float[Tensor, "*batch dim"]
) -> Float[Tensor, "*batch dim dim"]:
    """Derivatives of a field by the state, one column for each of its coordinates, in one evaluation."""
    dim = x.shape[-1]
    learning = torch.is_grad_enabled()
    with torch.inference_mode(False), torch.set_grad_enabled(learning), forward_ad.dual_level():
        copies = x.repeat_interleave(dim, dim=-2)
        directions = torch.eye(dim, dtype=x.dtype, device=x.device).repeat(*x.shape[:-1], 1)
        moved = field(0.0, forward_ad.make_dual(copies, directions))
        columns = forward_ad.unpack_dual(moved).tangent
    assert columns is not None
    return columns.unflatten(-2, (x.shape[-2], dim)).mT


STEPS: dict[str, fixed.Step] = {**fixed.STEPS, "rosenbrock": rosenbrock}
EVALUATIONS = {**fixed.EVALUATIONS, "rosenbrock": 3}  # a Jacobian counts as one
