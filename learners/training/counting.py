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
        calls = self.calls
        self.calls = 0
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
    """The result of a forward pass, and the most bytes that autograd keeps of it at a time for the backward pass.

    Each storage counts once, for as long as it is kept, and the parameters themselves do not count: the number depends
    on shapes alone, so that it is the same on every machine.
    """
    memory = _Memory(parameter.untyped_storage().data_ptr() for parameter in parameters)
    with torch.autograd.graph.saved_tensors_hooks(memory.keep, lambda kept: kept.tensor):
        result = forward()
    return result, memory.most


class _Memory:
    """What autograd keeps at the moment: how often each storage, but those that are not to count."""

    def __init__(self, exempt: Iterable[int]) -> None:
        self.exempt = set(exempt)
        self.times: dict[int, int] = {}
        self.bytes = 0
        self.most = 0

    def keep(self, tensor: Tensor) -> "_Kept":
        return _Kept(tensor, self)

    def change(self, place: int, size: int, by: int) -> None:
        """Keep a storage once more, or once less."""
        before = self.times.get(place, 0)
        self.times[place] = before + by
        self.bytes += size * ((before + by > 0) - (before > 0))
        self.most = max(self.most, self.bytes)


class _Kept:
    """A tensor for as long as autograd keeps it."""

    def __init__(self, tensor: Tensor, memory: _Memory) -> None:
        self.tensor = tensor.detach()
        self.memory = memory  # with its graph, a circle would keep it for good
        self.place = 0
        if not tensor._is_zerotensor():  # forward derivatives of what does not change, which take no place
            storage = tensor.untyped_storage()
            self.place, self.size = storage.data_ptr(), storage.nbytes()
        if self.place and self.place not in memory.exempt:
            memory.change(self.place, self.size, 1)

    def __del__(self) -> None:
        if self.place and self.place not in self.memory.exempt:
            self.memory.change(self.place, self.size, -1)


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


def _backward_of_convolution(
    grad: Tensor, x: Tensor, weight: Tensor, *settings: Any, out_val: Sequence[Tensor | None], **_: Any
) -> int:
    """Operations of the gradients that are asked for, each of which takes as many as the convolution itself.

    torch's own formula leaves out that the weights of a group see the channels of that group alone.
    """
    transposed = settings[4]  # after the shape of the bias, stride, padding and dilation
    places = (x if transposed else grad)[:, 0].numel()
    return 2 * places * weight.numel() * sum(one is not None for one in out_val[:2])


FORMULAS = flop_registry | {torch.ops.aten.convolution_backward: _backward_of_convolution}


class _Operations(TorchDispatchMode):
    """Adds up what torch's own formulae give for each operation.

    `FlopCounterMode`, which does the same, also follows the modules that are entered, and fails in the backward pass of
    an adjoint, where they are entered anew.
    """

    total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Whether to load torch's compiler, only to keep it away from us: that takes each process two seconds."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        formula = FORMULAS.get(func._overloadpacket)
        if formula is None:
            with self:  # what consists of several operations is counted by its parts
                parts = func.decompose(*args, **kwargs)
            return func(*args, **kwargs) if parts is NotImplemented else parts
        result = func(*args, **kwargs)
        self.total += formula(*args, **kwargs, out_val=result)
        return result
