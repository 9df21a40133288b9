"""What one update or step costs: evaluations of the learned modules, operations, and the bytes that autograd keeps."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from learners.base import Predictor
from systems import Trajectories

Result = TypeVar("Result")


@dataclass
class Tally:
    """Calls of the counted modules since it was last read."""

    calls: int = 0

    def take(self) -> int:
        calls, self.calls = self.calls, 0
        return calls


_OPEN: dict[nn.Module, Tally] = {}  # the modules that are counted at the moment


def note(module: nn.Module, calls: int) -> None:
    """Count evaluations of a module that were made by other means than calling it."""
    if module in _OPEN:
        _OPEN[module].calls += calls


@contextmanager
def counting(modules: Iterable[nn.Module]) -> Iterator[Tally]:
    """Count the evaluations of modules while the context is open, those made by an adjoint's backward pass included."""
    tally = Tally()

    def called(*_: object) -> None:
        tally.calls += 1

    counted = list(modules)
    handles = [module.register_forward_hook(called) for module in counted]
    _OPEN.update(dict.fromkeys(counted, tally))
    try:
        yield tally
    finally:
        for module, handle in zip(counted, handles, strict=True):
            handle.remove()
            _OPEN.pop(module, None)


def keeping(forward: Callable[[], Result], parameters: Sequence[nn.Parameter]) -> tuple[Result, int]:
    """The result of a forward pass, and the bytes that autograd keeps of it for the backward pass.

    Each storage counts once, and the parameters themselves do not count: the number depends on shapes alone, so that
    it is the same on every machine.
    """
    own = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if tensor._is_zerotensor():  # forward derivatives of what does not change, which take no place
            return tensor
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    return result, sum(kept.values())


def counting_flops(run: Callable[[], Result]) -> tuple[Result, int]:
    """The result of a computation, and the floating-point operations of its matrix products and convolutions.

    A multiplication and an addition are two. Backward passes count as they are run. What is done element by element,
    Fourier transforms, and kernels that fuse a whole recurrent layer (`torch.nn.LSTM`, and on a GPU `GRU` and `RNN`)
    count nothing; our recurrent layers are matrix products. The number depends on shapes alone.
    """
    with _Operations() as operations:
        result = run()
    return result, operations.total


def forecast_flops(predictor: Predictor, past: Trajectories, step: float, evaluations: float) -> float:
    """Operations of a forecast of one trajectory that takes so many evaluations, from those of its first step.

    Not a number where `evaluations` is not, since the forecast failed; a step without evaluations stands for one.
    """
    if isnan(evaluations):
        return nan
    state = predictor.encode(Trajectories(past.times[:1], past.states[:1]))
    with torch.no_grad():
        (_, spent), flops = counting_flops(lambda: predictor.advance(state, step))
    return flops * evaluations / max(1, spent)


class _Operations(TorchDispatchMode):
    """Adds up what torch's own formulae give for each operation.

    `FlopCounterMode`, which does the same, also follows the modules that are entered, and fails in the backward pass of
    an adjoint, where they are entered anew.
    """

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        formula = flop_registry.get(func._overloadpacket)
        if formula is None:
            with self:  # what consists of several operations is counted by its parts
                parts = func.decompose(*args, **kwargs)
            return func(*args, **kwargs) if parts is NotImplemented else parts
        result = func(*args, **kwargs)
        self.total += formula(*args, **kwargs, out_val=result)
        return result
