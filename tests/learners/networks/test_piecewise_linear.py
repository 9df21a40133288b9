"""Piecewise-linear networks by their definitions in the papers, and what these promise."""

import numpy as np
import pytest
import torch

from learners.networks.piecewise_linear import PiecewiseLinearForm, PiecewiseLinearMap
from learners.streams import stream
from systems.tangents import push_forward

DIM, HIDDEN, NONLINEAR = 3, 2, 4
FORMS = ("shallow", "dendritic", "almost-linear")


def network(form: PiecewiseLinearForm, *seeds: int) -> PiecewiseLinearMap:
    """With weights large enough to be seen."""
    found = PiecewiseLinearMap(form, DIM, HIDDEN, NONLINEAR, [stream(seed, "weights") for seed in seeds])
    with torch.no_grad():
        found.bias.add_(0.3)
        found.weight.mul_(10)
    return found


def by_definition(stack: PiecewiseLinearMap, form: PiecewiseLinearForm, z: np.ndarray) -> np.ndarray:
    """One state of one replica, in the papers' letters, unit by unit."""
    given = {name: value[0].detach().numpy() for name, value in stack.named_parameters()}
    a, w, h = given["diagonal"][0], given["weight"].T, given["bias"][0]
    if form == "shallow":
        v, b = given["features.weight"].T, given["features.bias"][0]
        return a * z + w @ (np.maximum(v @ z + b, 0) - np.maximum(v @ z, 0)) + h
    if form == "dendritic":
        slopes, thresholds = given["features.slopes"].ravel(), given["features.thresholds"][0]
        bases = zip(slopes, thresholds, strict=True)
        spline = sum(slope * (np.maximum(z - threshold, 0) - np.maximum(z, 0)) for slope, threshold in bases)
        return a * z + w @ spline + h
    return a * z + w @ np.concatenate([z[:-NONLINEAR], np.maximum(z[-NONLINEAR:], 0)]) + h


@pytest.mark.parametrize("form", FORMS)
def test_a_step_is_that_of_the_definition(form: PiecewiseLinearForm):
    stack = network(form, 0)
    states = torch.randn(6, DIM + HIDDEN, generator=stream(1, "states"))
    expected = np.stack([by_definition(stack, form, z) for z in states.numpy()])
    np.testing.assert_allclose(stack(states[None])[0].detach(), expected, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_its_tangent_map_is_that_of_small_differences(form: PiecewiseLinearForm):
    stack = network(form, 0).double()
    states = torch.randn(1, 6, DIM + HIDDEN, generator=stream(1, "states"), dtype=torch.float64)
    tangents = torch.randn(states.shape, generator=stream(2, "tangents"), dtype=torch.float64)
    _, derivative = push_forward(stack, states, tangents)
    with torch.no_grad():
        expected = (stack(states + 1e-7 * tangents) - stack(states - 1e-7 * tangents)) / 2e-7
    torch.testing.assert_close(derivative, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("form", ["shallow", "dendritic"])
def test_what_is_added_to_the_linear_part_is_bounded(form: PiecewiseLinearForm):
    stack = network(form, 0)
    far = torch.randn(1, 50, DIM + HIDDEN, generator=stream(1, "states"))
    near, farther = ((stack(size * far) - size * far * stack.diagonal).abs().max() for size in (1e2, 1e4))
    assert farther < 1.1 * near + 0.1


def test_the_states_of_the_system_come_first_and_the_others_begin_as_a_function_of_them():
    stack = network("almost-linear", 0, 1)
    x = torch.randn(2, 5, DIM, generator=stream(1, "states"))
    begun = stack.begin(x)
    assert stack.start is not None
    assert torch.equal(begun[..., :DIM], x)
    torch.testing.assert_close(begun[1, 2, DIM:], (x[1] @ stack.start.weight[1] + stack.start.bias[1])[2])
