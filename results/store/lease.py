"""Leases on cells: at most one process works on a cell, of all those that share a store, on whatever machines."""

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, SoftFileLease, Timeout

from results.store.store import Store

LEASE_SECONDS = 120.0  # without a sign of life, after which a process of another machine counts as dead
BLANK_SECONDS = 2.0  # after which the holder of a lease without a name counts as dead: it is written in microseconds
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # what file systems without locks of the kernel say
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)

logging.getLogger("filelock").setLevel(logging.ERROR)  # it warns of what is handled here


class Lease:
    """The right to work on one cell, for one process at a time; released when its holder dies, however it does.

    Two locks in one. Between processes of one machine (and of several, where their file system passes such locks on)
    it is a lock of the kernel, which no clock and no process identifier has a say in. A file with a heartbeat beside it
    speaks to machines whose file system has no such locks: whoever waits takes it over when its holder is seen to be
    dead, or has given no sign of life for `LEASE_SECONDS` by his own clock.
    """

    def __init__(self, store: Store, key: str) -> None:
        self._folder = store.root / "leases"
        self._lock = FileLock(self._folder / f"{key}.lock", timeout=0, fallback_to_soft=False)
        self._file = self._folder / f"{key}.lease"
        self._heartbeat = SoftFileLease(self._file, timeout=0, lease_duration=LEASE_SECONDS)
        self._seen: tuple[tuple[int, int], float] = (0, 0), 0.0  # the file when it last changed, and when that was

    def acquire(self) -> bool:
        """Take the lease; False where another process has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            _acquire(self._lock)
            self._remove_abandoned()
            self._heartbeat.acquire()
        except Timeout:
            self._lock.release()
            return False
        return True

    def release(self) -> None:
        """Give the lease back."""
        self._heartbeat.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)  # who has it open already still meets the lease
        self._lock.release()

    def is_free(self) -> bool:
        """Whether nobody has it. That a process on another machine has died is known only by asking again and again.

        In a store that cannot be written, those have it whose last sign of life is recent.
        """
        try:
            free = self.acquire()
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
            return not self._file.exists() or time.time() - self._file.stat().st_mtime > LEASE_SECONDS
        if free:
            self.release()
        return free

    def _remove_abandoned(self) -> None:
        """Remove leases of dead processes that filelock leaves alone: those without a name, or on network drives."""
        with suppress(FileNotFoundError):
            found = self._file.stat()
            state = (found.st_ino, found.st_mtime_ns)
            now = time.monotonic()
            if state != self._seen[0]:
                self._seen = state, now
            is_blank = not found.st_size and abs(time.time() - found.st_mtime) > BLANK_SECONDS
            if is_blank or now - self._seen[1] > LEASE_SECONDS:
                aside = self._file.with_name(f"{self._file.name}-{uuid4().hex}")
                self._file.rename(aside)
                if aside.stat().st_ino != found.st_ino:  # a lease of somebody who has just taken over
                    with suppress(FileExistsError):
                        self._file.hardlink_to(aside)
                aside.unlink()


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Wait for the lock of a file, and hold it; where the file system has no locks, go on without."""
    lock = FileLock(path, fallback_to_soft=False)
    _acquire(lock)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> None:
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:  # without locks of the kernel one goes on without
            raise


def leased(store: Store) -> list[str]:
    """Keys of the cells that some process is working on."""
    folder = store.root / "leases"
    leases = [Path(entry.name) for entry in os.scandir(folder)] if folder.is_dir() else []
    return sorted(path.stem for path in leases if path.suffix == ".lease" and not Lease(store, path.stem).is_free())
