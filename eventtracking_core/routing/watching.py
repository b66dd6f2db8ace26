"""What was compiled from a router, and is compiled again when the router changes."""

from __future__ import annotations

from time import monotonic
from typing import Protocol
from weakref import WeakSet

from eventtracking_core.deadlines import seconds_until

__all__ = ["Watcher", "Watchers"]


class Watcher(Protocol):
    """An object that a router was compiled into."""

    def changed(self) -> None:
        """Compile the router again."""

    def wait_for_emitters(self, timeout: float) -> bool:
        """Wait until no other thread sends an event through what was compiled before."""


class Watchers:
    """The watchers of a router; none is kept alive."""

    def __init__(self) -> None:
        self._watchers: WeakSet[Watcher] = WeakSet()

    def add(self, watcher: Watcher) -> None:
        """Call a watcher at each change."""
        self._watchers.add(watcher)

    def discard(self, watcher: Watcher) -> None:
        """Call a watcher no more."""
        self._watchers.discard(watcher)

    def changed(self) -> None:
        """Let each watcher compile the router again."""
        for watcher in list(self._watchers):
            watcher.changed()

    def wait_for_emitters(self, timeout: float) -> bool:
        """Wait until no other thread sends an event through what was compiled before."""
        deadline = monotonic() + timeout
        return False not in [
            watcher.wait_for_emitters(seconds_until(deadline)) for watcher in list(self._watchers)
        ]
