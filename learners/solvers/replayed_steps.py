"""Steps of a forecast on a GPU, which is given several of them as one CUDA graph: to launch them takes far longer."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from learners.training import cuda_graph
from systems.solvers.handover import is_untracked

DEVICES = ("cuda",)
BLOCK = 8  # steps in a graph
MANY = 5 * BLOCK  # steps, for fewer of which a graph is not worth while: to record one takes about as long as so many


def is_replayable(state: Tensor) -> bool:
    """Whether states are on a GPU, and nobody asks for derivatives through them."""
    return state.device.type in DEVICES and is_untracked(state)


def replayed(step: Callable[[Tensor], Tensor], state: Tensor, count: int) -> Float[Tensor, "time *state"] | None:
    """States after 1, 2, ..., `count` steps; None on a CPU, for few steps, and where no graph repeats them."""
    if count < MANY or not is_replayable(state):
        return None
    still = state.clone()

    def block() -> list[Tensor]:
        states = [step(still)]
        while len(states) < BLOCK:
            states.append(step(states[-1]))
        still.copy_(states[-1])
        return [torch.stack(states)]

    try:
        (states,), again = cuda_graph.record(block)
    except RuntimeError:  # what depends on values, as adaptive steps do
        return None
    still.copy_(state)
    found = states.new_empty(-(-count // BLOCK), *states.shape)
    for part in found:
        again()
        part.copy_(states)
    return found.flatten(0, 1)[:count]
