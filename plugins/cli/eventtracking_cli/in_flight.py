"""Limit the events in flight, and wait until they are delivered."""

from __future__ import annotations

from typing import Final

from eventtracking_core import Tracker
from eventtracking_core.delivery import BatchLeaf

__all__ = ["BATCH", "PATIENCE", "Room", "drain"]

BATCH: Final = 5000
"""Events that a backend which delivers inline gets at once."""

PATIENCE: Final = 30.0
"""Seconds in which something must be delivered, while anything waits."""

MAX_BYTES: Final = 8 * 2**20
"""Bytes of events in flight, about."""


class Room:
    """The room in the queues of a tracker, so that events in flight overflow none.

    Args:
        tracker: whose queues they are.
        events: maximum number of events in flight.
    """

    def __init__(self, tracker: Tracker, events: int) -> None:
        options = [leaf.options for leaf in tracker.root.leaves() if isinstance(leaf, BatchLeaf)]
        self._max_events = min([events, *(option.max_queue_size for option in options)])
        self._max_bytes = min([MAX_BYTES, *(option.max_queue_bytes // 2 for option in options)])
        self.events = 0
        """In flight."""
        self._bytes = 0

    def is_full(self, size: int) -> bool:
        """Return whether a further event of about `size` bytes has to wait for delivery."""
        return bool(self.events) and (
            self.events >= self._max_events or self._bytes + size > self._max_bytes
        )

    def take(self, size: int) -> None:
        """Count an event of about `size` bytes as in flight."""
        self.events += 1
        self._bytes += size

    def clear(self) -> None:
        """Count no event as in flight: all are delivered."""
        self.events = self._bytes = 0


def drain(tracker: Tracker) -> bool:
    """Wait until pending events are delivered; return whether all of them are."""
    left = tracker.pending
    while not tracker.flush(PATIENCE):
        before, left = left, tracker.pending
        if left >= before:
            return False
    return True
