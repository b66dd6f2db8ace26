"""Locks that are free in a forked child, with the state that they guard at rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import TIMEOUT_MAX, RLock, get_ident
from time import monotonic, sleep
from typing import Final
from weakref import WeakSet

from eventtracking_core.forks import on_fork

__all__ = ["ForkLock"]


class ForkLock:
    """A reentrant lock: a signal handler may acquire it in the thread that holds it.

    A fork waits briefly for its holder: SQLite has locks of its own, and a child that was forked
    while another thread was inside the library might wait for them forever.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._is_awaited = False
        self.is_writing = False
        """Whether the holder is in a transaction: SQLite would not let a child forked now write."""
        _locks.add(self)

    @contextmanager
    def held(self, timeout: float) -> Iterator[bool]:
        """Acquire the lock within `timeout`; yield whether it was acquired; then release it.

        Args:
            timeout: seconds to wait for it.
        """
        deadline = monotonic() + timeout
        while self._is_awaited and get_ident() not in _held and monotonic() < deadline:
            sleep(0.001)  # locks are not fair, and a fork waits only briefly
        lock = self._lock  # release the same lock, even if a fork has replaced it meanwhile
        acquired = lock.acquire(timeout=min(max(deadline - monotonic(), 0.0), TIMEOUT_MAX))
        try:
            yield acquired
        finally:
            if acquired:
                lock.release()

    def acquire(self, timeout: float) -> bool:
        """Acquire the lock within `timeout` seconds; return whether it was acquired.

        Threads that want to hold it wait meanwhile.
        """
        self._is_awaited = True
        try:
            return self._lock.acquire(timeout=max(timeout, 0.0))
        finally:
            self._is_awaited = False

    def release(self) -> None:
        """Release the lock after `acquire`."""
        self._lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Mark a transaction that waits for no other connection: a fork waits for its end."""
        self.is_writing = True
        try:
            yield
        finally:
            self.is_writing = False

    def renew(self) -> None:
        """Replace the lock by a free one."""
        self._lock = RLock()
        self._is_awaited = self.is_writing = False


WAITS_FOR: Final = 0.05
"""Seconds that a fork waits for all holders in total."""

WAITS_FOR_WRITERS: Final = 2.0
"""Seconds that a fork waits for holders that are in a transaction."""

_locks: Final[WeakSet[ForkLock]] = WeakSet()
_held: Final[dict[int, list[ForkLock]]] = {}
"""By the forking thread."""


def _acquired(lock: ForkLock, since: float) -> bool:
    """Acquire a lock in time for a fork; return whether it was acquired."""
    if lock.acquire(since + WAITS_FOR - monotonic()):
        return True
    return lock.is_writing and lock.acquire(since + WAITS_FOR_WRITERS - monotonic())


def _before_fork() -> None:
    now = monotonic()
    locks = list(_locks)
    _held[get_ident()] = [lock for lock in locks if _acquired(lock, now)]


def _after_in_parent() -> None:
    for lock in _held.pop(get_ident(), []):
        lock.release()


@on_fork
def _forked() -> None:
    _held.clear()
    for lock in list(_locks):
        lock.renew()


os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent)
