"""Being stopped: by ^C, or by the SIGTERM of a scheduler."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bench.errors import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """The first signal raises KeyboardInterrupt; the second ends the program at once, and with it its processes."""
    before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, lambda number, frame: os._exit(INTERRUPTED))
    raise KeyboardInterrupt
