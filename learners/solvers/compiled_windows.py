"""Training of recurrent networks of windows by compiled code, and their forecasts."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learners.networks.recurrent import ElmanCell, GRUCell, LSTMCell, StackedRecurrent
from learners.networks.stacked import StackedLinear
from learners.solvers.compiled import LARGEST, MOST_ROWS, whole
from learners.solvers.compiled_forecasts import Mirror
from learners.solvers.descent import Descent, Matrix, adopt
from learners.training.training_step import Compiler, Optimiser

LANES = 16  # of which hidden units are a multiple
CELLS = ElmanCell, GRUCell, LSTMCell  # in the kernel's order


def window_updates(
    recurrent: StackedRecurrent, readout: StackedLinear, window: int, increment: Float[Tensor, " dim"]
) -> Compiler | None:
    """The function that makes `WindowUpdates` from what training asks for; None where there is no kernel.

    It is for hidden units in whole vectors that stay in the cache.
    """
    if not is_compilable(recurrent):
        return None
    return partial(WindowUpdates, recurrent, readout, window, increment)


def window_forecasts(
    recurrent: StackedRecurrent, readout: StackedLinear, increment: Float[Tensor, " dim"]
) -> "Callable[[], WindowForecasts] | None":
    """The function that makes `WindowForecasts`, once; None where there is no kernel."""
    if not is_compilable(recurrent):
        return None
    return cache(partial(WindowForecasts, recurrent, readout, increment))


def is_compilable(recurrent: StackedRecurrent) -> bool:
    """Whether the kernel has such a cell, in one layer."""
    _, hidden, gates = recurrent.cell.weight.shape
    known = find_spec("numba") is not None and type(recurrent.cell) in CELLS and recurrent.above is None
    return known and hidden % LANES == 0 and hidden * gates <= LARGEST


class WindowUpdates(Descent):
    """Updates of a stack of networks that add to the last state of a window what its recurrent layer makes of it.

    Errors are measured in increments. They are those of the eager updates, with clip and optimiser, to rounding. The
    weights are moved to where the kernel finds them: the parameters are views of one array from then on.

    Args:
        recurrent: reads the window; its cell is one that the kernel has.
        readout: of its last hidden state.
        window: samples.
        increment: by which outputs are multiplied.
        largest: norm of a replica's gradient.
        optimiser: who descends.
    """

    evaluations: tuple[int, int] | None = None

    def __init__(
        self,
        recurrent: StackedRecurrent,
        readout: StackedLinear,
        window: int,
        increment: Float[Tensor, " dim"],
        largest: float,
        optimiser: Optimiser = "adam",
    ) -> None:
        from learners.solvers import windows  # which takes seconds to compile

        self.windows = windows
        self.plan, weights = _arranged(recurrent, readout, window, increment)
        super().__init__(weights, largest, optimiser, _matrices(self.plan))

    def differentiate(self, segments: Float[Tensor, "seed batch length inputs"]) -> Float[Tensor, " seed"]:
        """The loss of each replica, whose gradients are kept for the descent."""
        losses = np.empty(len(segments), np.float32)
        given = segments.contiguous().numpy()
        kept = self.windows.learn(self.plan, given, self.weights, self.gradients, losses)
        self.kept_bytes = len(segments) * kept  # in which the replicas take turns
        return torch.from_numpy(losses)


class WindowForecasts:
    """Forecasts by such networks, with the weights that they have when they are called."""

    def __init__(self, recurrent: StackedRecurrent, readout: StackedLinear, increment: Float[Tensor, " dim"]) -> None:
        from learners.solvers import windows  # which takes seconds to compile

        self.windows = windows
        self.mirror = Mirror([recurrent, readout])
        layer, output = self.mirror.networks
        self.plan, self.weights = _arranged(layer, output, 0, increment)

    def __call__(self, state: Float[Tensor, "batch window dim"], count: int) -> Float[Tensor, "time batch window dim"]:
        """The windows after 1, ..., `count` steps, from those of all replicas in turns."""
        self.mirror.refresh()
        batch, window, dim = state.shape
        series = state.new_empty(batch, window + count, dim)
        series[:, :window] = state
        given = series.unflatten(0, (len(self.weights), -1))
        self.windows.predict(self.plan._replace(window=window), self.weights, given.numpy())
        return series.unfold(1, window, 1)[:, 1:].permute(1, 0, 3, 2)


def _arranged(
    recurrent: StackedRecurrent, readout: StackedLinear, window: int, increment: Float[Tensor, " dim"]
) -> tuple[Any, np.ndarray]:
    """The kernel's plan, and its weights, of which the parameters are views from then on."""
    from learners.solvers import windows

    cell: Any = recurrent.cell
    seeds, inputs, _ = recurrent.embed.weight.shape
    _, hidden, gates = cell.weight.shape
    outputs = whole(inputs, windows.LANES)
    rows = whole(inputs + 1, windows.ROWS), hidden, 1, hidden + windows.ROWS
    columns = gates, gates, hidden, outputs
    offsets = [0, *accumulate(row * column for row, column in zip(rows, columns, strict=True))]
    weights = np.zeros((seeds, offsets[-1]), np.float32)
    places = torch.from_numpy(weights).split(np.diff(offsets).tolist(), dim=1)
    embed, state, bias, out = (place.unflatten(1, shape) for place, *shape in zip(places, rows, columns, strict=True))
    adopt(recurrent.embed.weight, embed[:, :inputs])
    adopt(recurrent.embed.bias, embed[:, inputs : inputs + 1])
    adopt(cell.weight, state)
    if isinstance(cell, GRUCell):
        adopt(cell.bias, bias)
    adopt(readout.weight, out[:, :hidden, :inputs])
    adopt(readout.bias, out[:, hidden : hidden + 1, :inputs])
    plan = windows.WindowPlan(
        cell=CELLS.index(type(cell)),
        window=window,
        inputs=inputs,
        inputs_row=rows[0],
        hidden=hidden,
        gates=gates,
        outputs=outputs,
        offsets=np.array(offsets),
        increment=increment.numpy(),
        importance=(1 / (increment * inputs**0.5)).numpy(),
        rows=MOST_ROWS,
    )
    return plan, weights


def _matrices(plan: Any) -> Iterator[Matrix]:
    """Where the kernel has the weights of the inputs, of the hidden state, of a GRU's new gate, and of the readout."""
    embed, state, bias, out, _ = plan.offsets
    yield Matrix(embed, plan.inputs + 1, plan.inputs, plan.gates, plan.gates, 1)
    yield Matrix(state, plan.hidden, plan.hidden - 1, plan.gates, plan.gates, 1)
    if CELLS[plan.cell] is GRUCell:
        yield Matrix(bias, 1, 0, plan.hidden, plan.hidden, 1)
    yield Matrix(out, plan.hidden + 1, plan.hidden, plan.inputs, plan.outputs, 1)
