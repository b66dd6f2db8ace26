"""Locks that are free in a forked child, with the state that they guard at rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import TIMEOUT_MAX, RLock, get_ident
from time import monotonic
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
        _locks.add(self)

    @contextmanager
    def held(self, timeout: float) -> Iterator[bool]:
        """Acquire the lock within `timeout`; yield whether it was acquired; then release it.

        Args:
            timeout: seconds to wait for it.
        """
        lock = self._lock  # release the same lock, even if a fork has replaced it meanwhile
        acquired = lock.acquire(timeout=min(max(timeout, 0.0), TIMEOUT_MAX))
        try:
            yield acquired
        finally:
            if acquired:
                lock.release()

    def acquire(self, timeout: float) -> bool:
        """Acquire the lock within `timeout` seconds; return whether it was acquired."""
        return self._lock.acquire(timeout=max(timeout, 0.0))

    def release(self) -> None:
        """Release the lock after `acquire`."""
        self._lock.release()

    def renew(self) -> None:
        """Replace the lock by a free one."""
        self._lock = RLock()


WAITS_FOR: Final = 0.05
"""Seconds that a fork waits for all holders in total."""

_locks: Final[WeakSet[ForkLock]] = WeakSet()
_held: Final[dict[int, list[ForkLock]]] = {}
"""By the forking thread."""


def _before_fork() -> None:
    deadline = monotonic() + WAITS_FOR
    _held[get_ident()] = [lock for lock in list(_locks) if lock.acquire(deadline - monotonic())]


def _after_in_parent() -> None:
    for lock in _held.pop(get_ident(), []):
        lock.release()


@on_fork
def _forked() -> None:
    _held.clear()
    for lock in list(_locks):
        lock.renew()


os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent)
