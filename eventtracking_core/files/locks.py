"""Locks of open files, by which processes keep out of each other's way."""

from __future__ import annotations

from typing import IO, Final

__all__ = ["CAN_LOCK", "lock", "unlock"]

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
except ImportError:  # WebAssembly, Windows
    _HAS_FLOCK = False
else:
    _HAS_FLOCK = True

CAN_LOCK: Final = _HAS_FLOCK
"""Whether this system has locks. Where it has none, a file is for one process."""


def lock(file: int | IO[bytes], *, shared: bool = False, wait: bool = False) -> None:
    """Lock an open file until it is closed, or unlocked; do nothing where there are no locks.

    Args:
        file: the file, or its descriptor.
        shared: others may have a shared lock as well.
        wait: wait for the holder of a lock.

    Raises:
        BlockingIOError: another process or thread has a lock.
        OSError: the file's system has no locks.
    """
    if CAN_LOCK:
        flock(file, (LOCK_SH if shared else LOCK_EX) | (0 if wait else LOCK_NB))


def unlock(file: int | IO[bytes]) -> None:
    """Let go of a lock, also of the copies that forked children have."""
    if CAN_LOCK:
        flock(file, LOCK_UN)
