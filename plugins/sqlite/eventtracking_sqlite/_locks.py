"""Locks that are free, and what they guard at rest, in a forked child."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import TIMEOUT_MAX, RLock
from typing import Final
from weakref import WeakSet

__all__ = ["ForkLock"]


class ForkLock:
    """A lock that its own thread may take again, as a signal handler does.

    A fork waits for its holder: SQLite has locks of its own, and a child that was forked while
    another thread was inside the library would wait for them forever.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        _locks.add(self)

    @contextmanager
    def held(self, timeout: float) -> Iterator[bool]:
        """Hold the lock, where it can be had in time; yield whether it is held.

        Args:
            timeout: seconds to wait for it.
        """
        lock = self._lock  # the one to release, also where the child of a fork has another
        acquired = lock.acquire(timeout=min(max(timeout, 0.0), TIMEOUT_MAX))
        try:
            yield acquired
        finally:
            if acquired:
                lock.release()

    def acquire(self) -> None:
        """Take the lock, however long it takes."""
        self._lock.acquire()

    def release(self) -> None:
        """Give back what `acquire` took."""
        self._lock.release()

    def renew(self) -> None:
        """Forget who holds the lock."""
        self._lock = RLock()


_locks: Final[WeakSet[ForkLock]] = WeakSet()
_held: Final[list[ForkLock]] = []
_forking = RLock()


def _before_fork() -> None:
    _forking.acquire()
    for lock in list(_locks):
        lock.acquire()
        _held.append(lock)


def _after_in_parent() -> None:
    while _held:
        _held.pop().release()
    _forking.release()


def _after_in_child() -> None:
    global _forking  # noqa: PLW0603  the child's own
    _held.clear()
    for lock in list(_locks):
        lock.renew()
    _forking = RLock()


os.register_at_fork(
    before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
