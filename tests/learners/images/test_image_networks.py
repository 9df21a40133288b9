"""Image networks: their sizes, the time channel, the two ways of taking gradients, and solvers that give up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from learners import DenseODEClassifier, MLPClassifier, ODENetClassifier, ResNetClassifier, RKNetClassifier
from learners.base import SolverError
from learners.images.networks import ContinuousBlock, ConvolutionalField
from learners.training.counting import counting, keeping
from tests.support.images import ConcatenatedTime

WIDTH = 8


@pytest.fixture
def field() -> ConvolutionalField:
    torch.manual_seed(0)
    return ConvolutionalField(WIDTH, "group", time=True)


@pytest.fixture
def maps() -> Tensor:
    return torch.randn(3, WIDTH, 6, 6, generator=torch.Generator().manual_seed(1))


def gradients(solve: Callable[[Tensor], Any], maps: Tensor) -> tuple[Tensor, ...]:
    start = maps.clone().requires_grad_()
    end = solve(start)
    end.square().mean().backward()
    return end.detach(), gradient(start)


def gradient(of: Any) -> Tensor:
    return of.grad


@pytest.mark.parametrize(
    ("learner", "millions"),
    [(MLPClassifier(), 0.24), (ResNetClassifier(), 0.60), (RKNetClassifier(), 0.22), (ODENetClassifier(), 0.22)],
    ids=lambda value: type(value).__name__,
)
def test_networks_at_full_width_have_the_published_sizes(learner, millions):
    network = learner.network((1, 28, 28), 10)
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2) == millions


def test_a_solve_between_dense_layers_is_that_of_torchdiffeq():
    torch.manual_seed(0)
    network = DenseODEClassifier(width=5, solver="rk4", steps=4).network((1, 8, 8), 10)
    weights = {name: values.flatten(1) if values.dim() > 1 else values for name, values in network.state_dict().items()}
    pixels = torch.randn(3, 1, 8, 8)

    def dense(x: Tensor, name: str) -> Tensor:
        return nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def field(t: Tensor, u: Tensor) -> Tensor:
        return dense(torch.tanh(dense(u, "body.field.layers.0")), "body.field.layers.2")

    start = dense(pixels.flatten(1), "stem.1")
    end: Any = odeint(field, start, torch.linspace(0, 1, 5), method="rk4")
    torch.testing.assert_close(network(pixels), dense(end[-1], "head.1"), atol=1e-5, rtol=0)


@pytest.mark.parametrize("stem", ["residual", "plain"])
@pytest.mark.parametrize(("size", "maps"), [(28, 6), (32, 7), (8, 4)])
def test_the_stem_halves_large_images_twice_and_small_ones_once(size, maps, stem):
    network = ResNetClassifier(width=WIDTH, stem=stem).network((1, size, size), 10)
    assert network.stem(torch.zeros(2, 1, size, size)).shape == (2, WIDTH, maps, maps)


@pytest.mark.parametrize("adjoint", [False, True])
def test_the_time_channel_as_a_map_gives_the_textbooks_outputs_and_gradients(field, maps, adjoint):
    plain, block = ConcatenatedTime(field, WIDTH), ContinuousBlock(field, "euler", 1e-3, 20, 100, adjoint)
    solve = odeint_adjoint if adjoint else odeint
    times = torch.tensor([0.0, 1.0])
    theirs = gradients(lambda x: solve(plain, x, times, method="euler", options={"step_size": 0.05})[-1], maps)
    mine = gradients(block, maps)
    assert torch.allclose(mine[0], theirs[0], atol=1e-5, rtol=0)
    assert torch.allclose(mine[1], theirs[1], atol=1e-6, rtol=1e-3)
    for convolution, its in zip(field.convolutions, plain.convolutions, strict=True):
        together = torch.cat([gradient(convolution.time_weight), gradient(convolution.weight)], dim=1)
        assert torch.allclose(together, gradient(its.weight), atol=1e-5, rtol=1e-2)


def test_without_a_time_channel_the_field_does_not_depend_on_time(maps):
    field = ConvolutionalField(WIDTH, "group", time=False)
    early, late = (field(t, maps, field.time_maps(maps)) for t in (0.0, 0.7))
    assert torch.equal(early, late)


def test_the_adjoint_gives_the_gradients_of_backpropagation(field, maps):
    field, maps = field.double(), maps[:1].double()
    blocks = [ContinuousBlock(field, "dopri5", 1e-5, 20, 10_000, adjoint) for adjoint in (False, True)]
    found = []
    for block in blocks:
        field.zero_grad()
        _, start = gradients(block, maps)
        parts = (start, *(gradient(parameter) for parameter in field.parameters()))
        found.append(torch.cat([part.flatten() for part in parts]))
    assert float((found[0] - found[1]).norm() / found[0].norm()) < 0.05


@pytest.mark.parametrize(("solver", "evaluations"), [("euler", 7), ("midpoint", 14), ("rk4", 28)])
def test_a_solver_with_fixed_steps_takes_so_many(field, maps, solver, evaluations):
    block = ContinuousBlock(field, solver, 1e-3, 7, 100, adjoint=False)
    with counting([field]) as tally:
        block(maps)
    assert tally.take() == evaluations


def test_saved_bytes_grow_with_the_steps_of_backpropagation_and_not_of_the_adjoint(field, maps):
    saved, spent = {}, {}
    for adjoint in (False, True):
        for tolerance in (1e-1, 1e-5):
            block = ContinuousBlock(field, "dopri5", tolerance, 20, 1000, adjoint)
            with counting([field]) as tally:
                kept = keeping(lambda block=block: block(maps.clone().requires_grad_()), list(field.parameters()))[1]
            saved[adjoint, tolerance], spent[tolerance] = kept, tally.take()
    assert spent[1e-5] > 2 * spent[1e-1]
    assert saved[True, 1e-1] == saved[True, 1e-5]
    assert saved[False, 1e-5] > 1.5 * saved[False, 1e-1] > 5 * saved[True, 1e-1]


@pytest.mark.parametrize("adjoint", [False, True])
def test_a_solver_that_takes_too_many_steps_gives_up(field, maps, adjoint):
    with pytest.raises(
        SolverError, match=r"dopri5 at tolerance 1e-05 could not go on: 1 steps do not reach the next sample"
    ):
        ContinuousBlock(field, "dopri5", 1e-5, 20, 1, adjoint)(maps.requires_grad_())


def test_no_gradients_go_through_adams_steps_but_by_the_adjoint():
    for kind in (RKNetClassifier, DenseODEClassifier):
        with pytest.raises(ValueError, match=r'no gradients go through the steps of solver="adams"'):
            kind(solver="adams")
    assert ODENetClassifier(solver="adams").solver == "adams"


def test_adams_methods_and_an_embedded_pair_agree_on_a_convolutional_field(field, maps):
    field, maps = field.double(), maps[:1].double()
    found = [gradients(ContinuousBlock(field, each, 1e-6, 20, 10_000, True), maps) for each in ("adams", "dopri5")]
    for one, other in zip(*found, strict=True):
        assert float((one - other).norm() / other.norm()) < 0.01  # rectifiers are not smooth


def test_states_that_leave_the_finite_numbers_end_the_solution(field, maps):
    with pytest.raises(SolverError, match="could not go on"):
        ContinuousBlock(field, "dopri5", 1e-3, 20, 100, adjoint=False)(maps * torch.inf)


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_reduced_precision_and_layout_keep_the_outcome(norm):
    torch.manual_seed(0)
    network = replace(RKNetClassifier(width=WIDTH, solver="euler", steps=4), norm=norm).network((1, 8, 8), 10).eval()
    x = torch.randn(5, 1, 8, 8)
    with torch.no_grad():
        plain = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = network(x)
        turned = network.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(plain, turned, atol=1e-5)
    assert float((plain - mixed.float()).norm() / plain.norm()) < 0.05


@pytest.mark.parametrize("field", ["width", "tolerance", "steps", "max_steps"])
def test_a_setting_that_must_be_positive_is_named(field):
    with pytest.raises(ValueError, match=f"ODENetClassifier.{field} must be positive, but is 0"):
        replace(ODENetClassifier(), **{field: 0})
