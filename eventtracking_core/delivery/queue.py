"""Events in memory, bounded in number and in bytes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eventtracking_core._threads import Latch

__all__ = ["QUEUE_FULL", "FlushMarker", "MemoryQueue", "StoredError"]

QUEUE_FULL: Final = 0


class StoredError(BaseException):
    """An interrupt, its cause, came when the event was stored already."""


class FlushMarker:
    """Stands in the queue behind everything that came before it; see `flush`."""

    __slots__ = ("done", "expedited", "is_withdrawn", "reached", "spooled", "written_back")

    def __init__(self, done: Latch) -> None:
        self.expedited = False
        self.is_withdrawn = False
        self.reached = False
        self.spooled = 0
        self.written_back = 0
        self.done = done


class MemoryQueue:
    """A first-in first-out queue of events' bytes.

    `put` is for any thread and for signal handlers, so there is no lock: `deque.append` is one
    step, and so is a line that adds a number to an attribute and calls nothing. (Other threads,
    signals and profilers get their turn at calls, and debuggers between lines.)
    """

    __slots__ = ("_items", "_markers", "_max_bytes", "_max_size", "bytes")

    def __init__(self, max_size: int, max_bytes: int) -> None:
        self._items: deque[bytes | FlushMarker] = deque()
        self._markers = 0
        self._max_size = max_size
        self._max_bytes = max_bytes
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._items) - self._markers

    def put(self, wire: bytes) -> int:
        """Add an event at the end; return how many wait then, or `QUEUE_FULL`.

        Raises:
            StoredError: it is added, and an interrupt came then.
        """
        size = len(wire)
        waiting = len(self._items) - self._markers + 1
        if waiting > self._max_size or self.bytes + size > self._max_bytes:
            return QUEUE_FULL
        self.bytes += size
        try:
            self._items.append(wire)
        except MemoryError:
            self.bytes -= size
            raise
        except BaseException as interrupt:
            raise StoredError from interrupt
        return waiting

    def put_marker(self, marker: FlushMarker) -> None:
        """Add a marker at the end, whether there is room or not."""
        self._markers += 1
        self._items.append(marker)

    def withdraw(self, marker: FlushMarker) -> None:
        """Let a marker end no batch any more; it leaves the queue in its turn."""
        marker.is_withdrawn = True

    def next(self) -> bytes | None:
        """Return the oldest event, which stays; None if there is none, or a flush comes first."""
        while self._items:
            item = self._items[0]
            if not isinstance(item, FlushMarker):
                return item
            if not item.is_withdrawn:
                return None
            self._items.popleft()
            self._reach(item)
        return None

    def take(self, max_records: int, max_bytes: int) -> list[bytes]:
        """Return the next events, oldest first; a marker that is met ends the batch."""
        taken: list[bytes] = []
        size = 0
        while len(taken) < max_records and size < max_bytes:
            try:
                item = self._items.popleft()
            except IndexError:
                break
            if isinstance(item, FlushMarker):
                self._reach(item)
                if item.is_withdrawn:
                    continue
                break
            taken.append(item)
            size += len(item)
        self.bytes -= size
        return taken

    def _reach(self, marker: FlushMarker) -> None:
        marker.reached = True
        self._markers -= 1
