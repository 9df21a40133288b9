"""What processes do in tests of how they are started and how they end; it imports little."""

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

SERVER_DIED = 255  # as in bench.runner.processes


def do_nothing(parent: Connection) -> None:
    pass


def tell_surroundings(parent: Connection) -> None:
    handlers = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    parent.send((os.environ["OMP_NUM_THREADS"], *handlers))


def sleep_long(parent: Connection) -> None:
    time.sleep(600)


def leave(parent: Connection) -> None:
    os._exit(SERVER_DIED)


def exit_with(number: int, parent: Connection) -> None:
    os._exit(number)


def leave_a_thread(done: str, parent: Connection) -> None:
    Thread(target=time.sleep, args=(600,)).start()
    Path(done).touch()
