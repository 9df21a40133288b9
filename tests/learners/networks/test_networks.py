"""Stacks of networks: each replica is the plain network of PyTorch, and no replica knows of the others."""

import pytest
import torch
from torch import nn

from learners.networks.recurrent import CellType, StackedRecurrent
from learners.networks.stacked import StackedLinear, StackedMLP, replica, size
from learners.streams import stream

PLAIN = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def generators(*seeds: int) -> list[torch.Generator]:
    return [stream(seed, "weights") for seed in seeds]


def plain_twin(stack: StackedRecurrent, cell: CellType) -> nn.RNNBase:
    """PyTorch's own layer with the weights of a stack of one; its second bias vector is in the stack's first."""
    plain = PLAIN[cell](3, 8, batch_first=True)
    weights = dict(stack.named_parameters())
    with torch.no_grad():
        plain.weight_ih_l0.copy_(weights["embed.weight"][0].T)
        plain.weight_hh_l0.copy_(weights["cell.weight"][0].T)
        plain.bias_ih_l0.copy_(weights["embed.bias"][0, 0])
        plain.bias_hh_l0.zero_()
        if cell == "gru":
            plain.bias_hh_l0[16:].copy_(weights["cell.bias"][0, 0])
    return plain


def test_a_stack_of_one_equals_the_plain_linear_network():
    stack = StackedMLP([3, 16, 2], "silu", generators(0))
    weights = dict(stack.named_parameters())
    hidden, readout = nn.Linear(3, 16), nn.Linear(16, 2)
    with torch.no_grad():
        for place, layer in enumerate((hidden, readout)):
            layer.weight.copy_(weights[f"layers.{place}.weight"][0].T)
            layer.bias.copy_(weights[f"layers.{place}.bias"][0, 0])
    x = torch.randn(5, 3, generator=stream(1, "inputs"))
    expected = readout(nn.functional.silu(hidden(x)))
    torch.testing.assert_close(stack(x[None])[0], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_stack_of_one_equals_the_plain_recurrent_network(cell: CellType):
    stack = StackedRecurrent(cell, 3, 8, generators(0))
    window = torch.randn(5, 7, 3, generator=stream(1, "inputs"))
    expected = plain_twin(stack, cell)(window)[0][:, -1]
    torch.testing.assert_close(stack(window[None])[0], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_stack_of_one_has_the_gradients_of_the_plain_recurrent_network(cell: CellType):
    stack = StackedRecurrent(cell, 3, 8, generators(0))
    plain = plain_twin(stack, cell)
    window = torch.randn(5, 7, 3, generator=stream(1, "inputs"))
    stack(window[None]).square().sum().backward()
    plain(window)[0][:, -1].square().sum().backward()
    weight, expected = dict(stack.named_parameters())["cell.weight"], plain.weight_hh_l0
    assert weight.grad is not None
    assert isinstance(expected, nn.Parameter)
    torch.testing.assert_close(weight.grad[0].T, expected.grad, atol=1e-5, rtol=1e-5)


def test_weights_of_a_seed_do_not_depend_on_the_stack_it_is_in():
    alone, together = StackedLinear(4, 4, generators(7)), StackedLinear(4, 4, generators(3, 7))
    assert torch.equal(alone.weight[0], together.weight[1])
    assert not torch.equal(together.weight[0], together.weight[1])


def test_linear_weights_lie_within_the_bound_of_torch():
    layer = StackedLinear(16, 500, generators(0))
    assert 0.24 < layer.weight.abs().max() <= 0.25
    assert abs(layer.weight.mean()) < 0.01


def test_a_loss_of_one_replica_has_no_gradient_in_another():
    stack = StackedMLP([2, 8, 2], "tanh", generators(0, 1))
    stack(torch.ones(2, 3, 2))[0].sum().backward()
    for parameter in stack.parameters():
        assert parameter.grad is not None
        assert parameter.grad[0].abs().sum() > 0
        assert parameter.grad[1].abs().sum() == 0


def test_a_replica_is_one_network_of_the_stack_and_apart_from_it():
    stack = StackedMLP([2, 8, 2], "relu", generators(0, 1))
    single = replica(stack, 1)
    x = torch.ones(2, 3, 2)
    torch.testing.assert_close(single(x[1:]), stack(x)[1:])
    assert size(stack) == size(single) == 2 * 8 + 8 + 8 * 2 + 2
    next(single.parameters()).data.zero_()
    assert next(stack.parameters())[1].abs().sum() > 0


def test_streams_of_different_purposes_are_independent():
    draws = {purpose: torch.rand(1, generator=stream(0, purpose)).item() for purpose in ("weights", "minibatches")}
    assert len(set(draws.values())) == 2
    assert torch.rand(1, generator=stream(0, "weights")).item() == draws["weights"]
