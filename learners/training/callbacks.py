"""Being watched while training: a look at the networks before every update, for whoever asks for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Moment:
    """What there is to see before an update; a watcher must not change it, and copy what it wants to keep."""

    updates: int  # so far
    planned: int  # updates in all
    network: nn.Module  # the stack of replicas
    best: Sequence[Tensor]  # its parameters at the lowest validation loss of each replica so far


Watcher = Callable[[Moment], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """While the context is open, `train` shows the watcher what it trains, before every update."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def watch(updates: int, planned: int, network: nn.Module, best: Sequence[Tensor]) -> None:
    """Show a moment to the watcher, if there is one."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(Moment(updates, planned, network, best))
