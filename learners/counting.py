"""What one update costs: evaluations of the learned modules, and the bytes that autograd keeps."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

Result = TypeVar("Result")


@dataclass
class Tally:
    """Calls of the counted modules since it was last read."""

    calls: int = 0

    def take(self) -> int:
        calls, self.calls = self.calls, 0
        return calls


@contextmanager
def counting(modules: Iterable[nn.Module]) -> Iterator[Tally]:
    """Count the evaluations of modules while the context is open, those made by an adjoint's backward pass included."""
    tally = Tally()

    def called(*_: object) -> None:
        tally.calls += 1

    handles = [module.register_forward_hook(called) for module in modules]
    try:
        yield tally
    finally:
        for handle in handles:
            handle.remove()


def keeping(forward: Callable[[], Result], parameters: Sequence[nn.Parameter]) -> tuple[Result, int]:
    """The result of a forward pass, and the bytes that autograd keeps of it for the backward pass.

    Each storage counts once, and the parameters themselves do not count: the number depends on shapes alone, so that
    it is the same on every machine.
    """
    own = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    return result, sum(kept.values())
