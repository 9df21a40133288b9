"""A callback that sees the networks before every update of training."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class TrainingState:
    """What a callback sees before an update; it must change nothing, and copy what it wants to keep."""

    updates: int  # so far
    planned: int  # updates in all
    network: nn.Module  # the stack of replicas
    best: Sequence[Tensor]  # its parameters that would be kept of each replica if training ended now


Callback = Callable[[TrainingState], None]

_callback: ContextVar[Callback | None] = ContextVar("callback", default=None)


@contextmanager
def before_each_update(callback: Callback) -> Iterator[None]:
    """Call the callback before every update of all training while the context is open."""
    token = _callback.set(callback)
    try:
        yield
    finally:
        _callback.reset(token)


def call_back(state: TrainingState) -> None:
    """Call the callback, if there is one."""
    callback = _callback.get()
    if callback is not None:
        callback(state)
