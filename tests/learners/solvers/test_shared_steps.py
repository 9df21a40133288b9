"""Steps that a batch shares, beside torchdiffeq's: states, evaluations, and gradients of either kind."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from learners.base import SolverError
from learners.solvers.shared_steps import adams, adaptive, fixed, follow_by_adjoint
from learners.training.counting import counting

ADAPTIVE = ("dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun")
FIXED = ("euler", "midpoint", "rk4")
STEPS = 7
TOLERANCE = 1e-4


class Pendulums(nn.Module):
    """Turns that damp, driven in time, of a learned frequency and drive."""

    def __init__(self, frequency: float) -> None:
        super().__init__()
        turn = torch.tensor([[-0.1, 1.0], [-1.0, -0.1]], dtype=torch.float64)
        self.turn = nn.Parameter(frequency * turn)
        self.drive = nn.Parameter(torch.tensor([0.3, -0.7], dtype=torch.float64))

    def forward(self, t: Any, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.turn) + t * t * self.drive * x


def learned_by(field: nn.Module) -> tuple[Tensor, ...]:
    return tuple(field.parameters())


def outcome(field: nn.Module, end_of: Any) -> tuple[list[Tensor], int, int]:
    """The state at the end, and gradients with respect to the start and the field; evaluations, there and back."""
    start = torch.linspace(-2, 3, 10, dtype=torch.float64).reshape(5, 2).requires_grad_()
    with counting([field]) as tally:
        end = end_of(start)
        forward = tally.take()
        found = torch.autograd.grad(end.pow(3).sum(), (start, *field.parameters()))
        return [end.detach(), *found], forward, tally.take()


@pytest.mark.parametrize("frequency", [0.5, 30.0])
@pytest.mark.parametrize("by_adjoint", [False, True])
@pytest.mark.parametrize("solver", [*ADAPTIVE, *FIXED])
def test_states_evaluations_and_gradients_are_torchdiffeqs(solver, by_adjoint, frequency):
    field = Pendulums(frequency)
    follow = fixed(solver, STEPS) if solver in FIXED else adaptive(solver, TOLERANCE, 100_000)
    theirs_by = odeint_adjoint if by_adjoint else odeint
    options: Any = {"options": {"step_size": 1 / STEPS}} if solver in FIXED else {}

    def mine(x: Tensor) -> Tensor:
        if by_adjoint:
            return follow_by_adjoint(follow, field, x, tuple(field.parameters()))
        return follow(lambda t, state: (field(t, *state),), (x,))[0]

    def timed(
        t: Tensor, x: Tensor
    ) -> Tensor:  # an adjoint counts errors of the gradient by time, which nobody asks for
        return field(t.detach() if by_adjoint else t, x)

    def theirs(x: Tensor) -> Any:
        times = torch.arange(2, dtype=torch.float64)
        learned: Any = {"adjoint_params": tuple(field.parameters())} if by_adjoint else {}
        return theirs_by(timed, x, times, **learned, method=solver, rtol=TOLERANCE, atol=TOLERANCE, **options)[-1]

    (end, *found), *evaluations = outcome(field, mine)
    (their_end, *their_gradients), *their_evaluations = outcome(field, theirs)
    assert evaluations == their_evaluations
    torch.testing.assert_close(end, their_end, atol=1e-9, rtol=1e-9)
    # Its gradients by backpropagation go through the choice of the first step, too: less than the solver's error.
    error = 1e-6 if by_adjoint or solver in FIXED else 100 * TOLERANCE
    torch.testing.assert_close(found, their_gradients, atol=error, rtol=error)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8])
def test_adams_methods_come_within_their_tolerance_of_the_truth_with_gradients_by_the_adjoint(tolerance):
    field = Pendulums(3.0)
    exact = outcome(field, lambda x: follow_by_adjoint(adaptive("dopri8", 1e-12, 10_000), field, x, learned_by(field)))
    (end, *found), forward, backward = outcome(
        field, lambda x: follow_by_adjoint(adams(tolerance, 1000), field, x, learned_by(field))
    )
    for mine, true in zip([end, *found], exact[0], strict=True):
        assert float((mine - true).norm() / true.norm()) < 100 * tolerance
    assert 10 < forward < 200
    assert 10 < backward < 400


def test_adams_methods_are_followed_in_the_precision_of_the_state_and_give_up_with_their_reason():
    start = (torch.ones(2, 3), torch.zeros(4))
    (one, other) = adams(1e-6, 100)(lambda t, state: (-state[0], state[1] + t), start)
    assert (one.dtype, one.shape, other.shape) == (torch.float32, (2, 3), (4,))
    assert torch.allclose(one, torch.full((2, 3), math.exp(-1.0)), atol=1e-5)
    assert torch.allclose(other, torch.full((4,), math.e - 2), atol=1e-5)  # x' = x + t
    with pytest.raises(SolverError, match=r"adams at tolerance 1e-06 could not go on: .*[Ee]xcess"):
        adams(1e-6, 3)(lambda t, state: (torch.cos(300 * t * state[0]),), (torch.ones(3),))


def test_a_field_that_is_not_finite_ends_the_solution_with_its_reason():
    with pytest.raises(SolverError, match=r"dopri5 at tolerance 0.001 could not go on: non-finite"):
        adaptive("dopri5", 1e-3, 100)(lambda t, state: (state[0] / 0,), (torch.ones(3),))
    with pytest.raises(SolverError, match="could not go on: underflow"):  # x' = x^2 ends at time 0.5
        adaptive("dopri5", 1e-3, 100_000)(lambda t, state: (state[0] ** 2,), (torch.full((3,), 2.0).double(),))


def test_as_many_steps_are_tried_as_are_allowed_and_no_more():
    def turning(t: float, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        evaluations.append(t)
        return (torch.stack([state[0][1], -state[0][0]]) * 50,)

    evaluations: list[float] = []
    start = (torch.tensor([1.0, 0.0], dtype=torch.float64),)
    adaptive("bosh3", 1e-3, 10_000)(turning, start)
    tried = (len(evaluations) - 2) // 3  # two for the length of the first
    adaptive("bosh3", 1e-3, tried)(turning, start)
    with pytest.raises(SolverError, match=f"{tried - 1} steps do not reach"):
        adaptive("bosh3", 1e-3, tried - 1)(turning, start)
    assert evaluations[-1] < 1


def test_a_state_that_rests_is_followed_in_one_step_or_two():
    (end,) = adaptive("dopri5", 1e-3, 10)(lambda t, state: (0 * state[0],), (torch.ones(3),))
    assert end.tolist() == [1, 1, 1]
