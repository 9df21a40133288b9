"""A computation as a CUDA graph, which a GPU is given as a whole: to launch its kernels one by one takes longer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WARM_UP = 3  # calls before a capture, in which libraries and the optimiser set up what they keep

aten = torch.ops.aten
ASKING = {  # operations whose result the program waits for
    aten._local_scalar_dense.default,
    aten._linalg_check_errors.default,
    aten._unique2.default,
    aten.equal.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
}


class NotRepeatableError(RuntimeError):
    """A computation that no graph can repeat, and why."""


class Repeatable(TorchDispatchMode):
    """While the context is open, an operation that asks a GPU for values or gives it some raises NotRepeatableError.

    A graph would fail to capture the first, and repeat the second with the values of the capture.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in ASKING:
            raise NotRepeatableError(f"a graph cannot repeat what asks the GPU for values, as {func} does")
        devices = {one.device for one in tree_leaves((args, kwargs, result)) if isinstance(one, Tensor) and one.dim()}
        if len(devices) > 1:
            raise NotRepeatableError(f"a graph cannot repeat what comes from the CPU, as {func} takes it")
        return result


def captured(run: Callable[[Tensor], object], first: Tensor) -> Callable[[Tensor], None]:
    """A function of one tensor as a CUDA graph: for tensors of the shape of the first.

    It is called a few times before, on a stream of its own, so that all it needs is there when it is captured. Memory
    of gradients must be given up at its end, or be there at its beginning. Raises NotRepeatableError.
    """
    still = first.clone()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        with Repeatable():
            run(still)
        for _ in range(WARM_UP - 1):
            run(still)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run(still)

    def replay(following: Tensor) -> None:
        still.copy_(following)
        graph.replay()

    return replay
