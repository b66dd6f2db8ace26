"""Locks that are free in a forked child, with the state that they guard at rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import TIMEOUT_MAX, RLock, get_ident
from time import monotonic, sleep
from typing import Final
from weakref import WeakSet

from eventtracking_core.lifecycle.claims import call_into
from eventtracking_core.lifecycle.forks import on_fork

__all__ = ["BeginAgainError", "ForkLock"]


class BeginAgainError(Exception):
    """Roll back, release the lock and begin again: a fork waits, or a child may not write."""


class ForkLock:
    """A reentrant lock: a signal handler may acquire it in the thread that holds it.

    A fork waits briefly for its holder: SQLite has locks of its own, and a child that was forked
    while another thread was inside the library might wait for them forever.

    Args:
        path: the database that it guards; other locks may guard it too.
    """

    # Not in a `__dict__`, where eventlet would replace the lock: workers are native threads.
    __slots__ = ("__weakref__", "_lock", "_path", "awaited_since", "is_writing")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self.awaited_since: float | None = None
        """When a fork began to wait for it."""
        self.is_writing = False
        """Whether the holder is in a transaction: SQLite does not let a child forked now write."""
        _locks.add(self)

    @property
    def was_writing(self) -> bool:
        """Whether a thread of the parent was writing to the database as this process was forked."""
        return self._path in _written

    def refuse(self) -> None:
        """Let another process write: SQLite lets this one, a forked child, not do so safely."""
        _written.add(self._path)

    @contextmanager
    def hold(self, timeout: float) -> Iterator[bool]:
        """Acquire the lock within `timeout`; yield whether it was acquired; then release it.

        Args:
            timeout: seconds to wait for it.
        """
        deadline = monotonic() + timeout
        while (
            self.awaited_since is not None
            and get_ident() not in _locked_for_fork
            and monotonic() < deadline
        ):
            sleep(0.001)  # locks are not fair, and a fork waits only briefly
        lock = self._lock  # release the same lock, even if a fork has replaced it meanwhile
        acquired: list[bool] = []
        try:
            _acquire(lock.acquire, deadline - monotonic(), acquired)
            yield acquired[0]
        finally:
            if acquired and acquired[0]:
                lock.release()

    def yields(self) -> None:
        """Raise an error if a fork has waited so long that the holder should roll back.

        Raises:
            BeginAgainError: it has.
        """
        since = self.awaited_since
        if since is not None and monotonic() - since > YIELDS_AFTER:
            raise BeginAgainError

    def acquire(self, timeout: float, acquired: list[bool]) -> None:
        """Acquire the lock within `timeout` seconds, and append whether it was acquired."""
        _acquire(self._lock.acquire, timeout, acquired)

    def release(self) -> None:
        """Release the lock after `acquire`."""
        self._lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Mark a transaction that waits for no other connection."""
        self.is_writing = True
        try:
            yield
        finally:
            self.is_writing = False

    def forked(self) -> None:
        """Replace the lock by a free one, in a forked child."""
        self._lock = RLock()
        if self.is_writing:
            _written.add(self._path)
        self.awaited_since, self.is_writing = None, False


def _acquire(acquire: Callable[..., bool], timeout: float, acquired: list[bool]) -> None:
    call_into(acquired, acquire, True, min(max(timeout, 0.0), TIMEOUT_MAX))  # noqa: FBT003  C


WAITS_FOR: Final = 0.05
"""Seconds that a fork waits for all holders in total."""

YIELDS_AFTER: Final = 0.02
"""Seconds that a fork waits before the holder of a lock rolls back and begins again after it."""

_locks: Final[WeakSet[ForkLock]] = WeakSet()
_written: Final[set[Path]] = set()
"""Databases to which threads of the parent were writing as this process was forked."""

_locked_for_fork: Final[dict[int, list[tuple[ForkLock, list[bool]]]]] = {}
"""By the forking thread: the locks, and whether each was acquired."""


def _before_fork() -> None:
    now = monotonic()
    locks = list(_locks)
    for lock in locks:
        lock.awaited_since = now
    try:
        _locked_for_fork[get_ident()] = [(each, []) for each in locks]
        for lock, acquired in _locked_for_fork[get_ident()]:
            lock.acquire(now + WAITS_FOR - monotonic(), acquired)
    finally:
        for lock in locks:
            lock.awaited_since = None


def _after_in_parent() -> None:
    for lock, acquired in _locked_for_fork.pop(get_ident(), []):
        if acquired and acquired[0]:
            lock.release()


@on_fork
def _forked() -> None:
    _locked_for_fork.clear()
    for lock in list(_locks):
        lock.forked()


os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent)
