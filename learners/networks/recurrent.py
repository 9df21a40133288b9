"""Recurrent networks with a leading replica axis, which read a window of states and give their last hidden state."""

from collections.abc import Sequence
from math import sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks.stacked import StackedLinear, uniform

CellType = Literal["rnn", "relu", "gru", "lstm"]
State = Tensor | None  # at the beginning of a window it is zero, and nothing is computed of it
_GATES = {"rnn": 1, "relu": 1, "gru": 3, "lstm": 4}


class StackedRecurrent(nn.Module):
    """Elman (tanh or ReLU), GRU or LSTM layers for every replica, from zero at the beginning of each window.

    The gates lie as in `torch.nn.RNN`, `GRU` (reset, update, new) and `LSTM` (input, forget, cell, output); the two
    bias vectors of those are one here, except for the new gate of the GRU, where they are not equivalent.
    """

    def __init__(
        self, cell: CellType, inputs: int, hidden: int, generators: Sequence[torch.Generator], layers: int = 1
    ) -> None:
        super().__init__()
        self.embed = StackedLinear(inputs, _GATES[cell] * hidden, generators)
        self.embed.weight = uniform((inputs, _GATES[cell] * hidden), 1 / sqrt(hidden), generators)
        self.embed.bias = uniform((1, _GATES[cell] * hidden), 1 / sqrt(hidden), generators)
        self.cell = _CELLS[cell](hidden, generators)
        self.above = StackedRecurrent(cell, hidden, hidden, generators, layers - 1) if layers > 1 else None

    def forward(self, window: Float[Tensor, "seed batch window inputs"]) -> Float[Tensor, "seed batch hidden"]:
        _, batch, length, _ = window.shape
        embedded = self.embed(window.transpose(1, 2).flatten(1, 2)).unflatten(1, (length, batch))
        first, *others = embedded.unbind(1)
        hidden, memory = self.cell(first)
        states = [hidden]
        for gates in others:
            hidden, memory = self.cell(gates, hidden, memory)
            states.append(hidden)
        return hidden if self.above is None else self.above(torch.stack(states, dim=2))


class ElmanCell(nn.Module):
    """h <- tanh(W x + b + U h)."""

    activation = staticmethod(torch.tanh)

    def __init__(self, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((hidden, hidden), 1 / sqrt(hidden), generators)

    def forward(self, gates: Tensor, hidden: State = None, memory: State = None) -> tuple[Tensor, State]:
        return self.activation(gates if hidden is None else torch.baddbmm(gates, hidden, self.weight)), memory


class RectifiedCell(ElmanCell):
    """h <- max(0, W x + b + U h)."""

    activation = staticmethod(torch.relu)


class GRUCell(nn.Module):
    """Gated recurrent unit; Cho et al., EMNLP 2014."""

    def __init__(self, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((hidden, 3 * hidden), 1 / sqrt(hidden), generators)
        self.bias = uniform((1, hidden), 1 / sqrt(hidden), generators)  # of the new gate, inside the reset

    def forward(self, gates: Tensor, hidden: State = None, memory: State = None) -> tuple[Tensor, State]:
        width = gates.shape[-1] // 3
        if hidden is None:
            reset, update = torch.sigmoid(gates[..., : 2 * width]).chunk(2, dim=-1)
            return (1 - update) * torch.tanh(gates[..., 2 * width :] + reset * self.bias), memory
        recurrent = torch.bmm(hidden, self.weight)
        reset, update = torch.sigmoid(gates[..., : 2 * width] + recurrent[..., : 2 * width]).chunk(2, dim=-1)
        new = torch.tanh(gates[..., 2 * width :] + reset * (recurrent[..., 2 * width :] + self.bias))
        return torch.lerp(new, hidden, update), memory


class LSTMCell(nn.Module):
    """Long short-term memory; Hochreiter and Schmidhuber, Neural Computation 1997."""

    def __init__(self, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((hidden, 4 * hidden), 1 / sqrt(hidden), generators)

    def forward(self, gates: Tensor, hidden: State = None, memory: State = None) -> tuple[Tensor, State]:
        width = gates.shape[-1] // 4
        total = gates if hidden is None else torch.baddbmm(gates, hidden, self.weight)
        enter, forget = torch.sigmoid(total[..., : 2 * width]).chunk(2, dim=-1)
        entered = enter * torch.tanh(total[..., 2 * width : 3 * width])
        memory = entered if memory is None else forget * memory + entered
        return torch.sigmoid(total[..., 3 * width :]) * torch.tanh(memory), memory


_CELLS = {"rnn": ElmanCell, "relu": RectifiedCell, "gru": GRUCell, "lstm": LSTMCell}
