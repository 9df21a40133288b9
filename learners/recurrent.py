"""Recurrent networks with a leading replica axis, which read a window of states and give their last hidden state."""

from collections.abc import Sequence
from math import sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks import StackedLinear, uniform

CellType = Literal["rnn", "gru", "lstm"]
_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


class StackedRecurrent(nn.Module):
    """Elman (tanh), GRU or LSTM layer for every replica, started from zero at the beginning of each window.

    The gates lie as in `torch.nn.RNN`, `GRU` (reset, update, new) and `LSTM` (input, forget, cell, output); the two
    bias vectors of those are one here, except for the new gate of the GRU, where they are not equivalent.
    """

    def __init__(self, cell: CellType, inputs: int, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.hidden = hidden
        self.embed = StackedLinear(inputs, _GATES[cell] * hidden, generators)
        self.embed.weight = uniform((inputs, _GATES[cell] * hidden), 1 / sqrt(hidden), generators)
        self.embed.bias = uniform((1, _GATES[cell] * hidden), 1 / sqrt(hidden), generators)
        self.cell = _CELLS[cell](hidden, generators)

    def forward(self, window: Float[Tensor, "seed batch window inputs"]) -> Float[Tensor, "seed batch hidden"]:
        seeds, batch, length, _ = window.shape
        embedded = self.embed(window.transpose(1, 2).flatten(1, 2)).unflatten(1, (length, batch))
        state = (window.new_zeros(seeds, batch, self.hidden),) * 2
        for gates in embedded.unbind(1):
            state = self.cell(gates, *state)
        return state[0]


class ElmanCell(nn.Module):
    """h <- tanh(W x + b + U h)."""

    def __init__(self, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((hidden, hidden), 1 / sqrt(hidden), generators)

    def forward(self, gates: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tanh(torch.baddbmm(gates, hidden, self.weight)), memory


class GRUCell(nn.Module):
    """Gated recurrent unit; Cho et al., EMNLP 2014."""

    def __init__(self, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((hidden, 3 * hidden), 1 / sqrt(hidden), generators)
        self.bias = uniform((1, hidden), 1 / sqrt(hidden), generators)  # of the new gate, inside the reset

    def forward(self, gates: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        width = hidden.shape[-1]
        recurrent = torch.bmm(hidden, self.weight)
        reset, update = torch.sigmoid(gates[..., : 2 * width] + recurrent[..., : 2 * width]).chunk(2, dim=-1)
        new = torch.tanh(gates[..., 2 * width :] + reset * (recurrent[..., 2 * width :] + self.bias))
        return torch.lerp(new, hidden, update), memory


class LSTMCell(nn.Module):
    """Long short-term memory; Hochreiter and Schmidhuber, Neural Computation 1997."""

    def __init__(self, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((hidden, 4 * hidden), 1 / sqrt(hidden), generators)

    def forward(self, gates: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        width = hidden.shape[-1]
        total = torch.baddbmm(gates, hidden, self.weight)
        enter, forget = torch.sigmoid(total[..., : 2 * width]).chunk(2, dim=-1)
        memory = forget * memory + enter * torch.tanh(total[..., 2 * width : 3 * width])
        return torch.sigmoid(total[..., 3 * width :]) * torch.tanh(memory), memory


_CELLS = {"rnn": ElmanCell, "gru": GRUCell, "lstm": LSTMCell}
