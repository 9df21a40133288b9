"""Being watched while training: a look at the network before every update, for whoever asks for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import nn

Watcher = Callable[[int, nn.Module], None]  # of the updates so far, and the stack of replicas; must not change it

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """While the context is open, `train` shows the watcher what it trains, before every update."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def watch(updates: int, network: nn.Module) -> None:
    """Show a network to the watcher, if there is one."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(updates, network)
