"""Events that wait before a backend: in memory, bounded in number and in bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eventtracking_core.lifecycle.interrupts import StoredError

if TYPE_CHECKING:
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.delivery.storage.deaths import DeathCounts
    from eventtracking_core.delivery.storage.segment import Segment
    from eventtracking_core.delivery.storage.spool import Spool
    from eventtracking_core.lifecycle.threads import Latch

__all__ = ["QUEUE_FULL", "Buffer", "FlushMarker"]

QUEUE_FULL: Final = 0


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


class Buffer:
    """The pending events of one leaf, first in, first out, each as its bytes.

    `put` is for any thread and for signal handlers, so there is no lock: `deque.append` is one
    step, and so is a line that adds a number to an attribute and calls nothing. (Other threads,
    signals and profilers get their turn at calls, and debuggers between lines.) `mark`,
    `put_in_spool` and `seek_orphans` are for any thread, everything else for the one that delivers.

    Args:
        options: how much may wait.
    """

    spool: Spool | None = None
    deaths: DeathCounts | None = None
    """Processes that died while they delivered an event from the spool."""
    backlog = 0
    """How many events of other processes were adopted and wait to be taken."""
    has_adopted = False
    """Whether only events of other processes are left to take."""
    is_refused = False
    """Whether there are events in memory that belong on a disk, which refused them."""

    def __init__(self, options: DeliveryOptions) -> None:
        self._max_size = options.max_queue_size
        self._max_bytes = options.max_queue_bytes
        self._reset()

    def _reset(self) -> None:
        self._items: deque[bytes | FlushMarker] = deque()
        self._markers = 0
        self.bytes = 0
        self.put: Callable[[bytes], int] = self.put_in_memory
        """Store an event; return how many wait then, or `QUEUE_FULL` or `SPOOL_FULL`."""

    def forked(self) -> None:
        """Reset in a forked child: pending events are the parent's."""
        self._reset()

    # ── adding ──

    def put_in_memory(self, wire: bytes, times: int = 1) -> int:
        """Add an event at the end; return how many wait then, or `QUEUE_FULL`.

        Args:
            wire: the event's bytes.
            times: how often the configured number and size of events may be there.

        Raises:
            StoredError: it is added, and an interrupt came then.
        """
        size = len(wire)
        waiting = len(self._items) - self._markers + 1
        if (waiting > self._max_size or self.bytes + size > self._max_bytes) and (
            waiting > times * self._max_size or self.bytes + size > times * self._max_bytes
        ):
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

    def put_in_spool(self, _wire: bytes) -> bool:
        """Write an event to the spool; return whether there is one with room for it.

        Raises:
            OSError: the event was not written.
        """
        return False

    def write_back(self, wire: bytes) -> bool:
        """Write an event to the spool that the disk refused; return whether that worked."""
        return self.put_in_spool(wire)

    def write_back_queue(self) -> None:
        """Write the events to the spool that the disk refused, as far as it takes them now."""

    def mark(self, marker: FlushMarker) -> None:
        """Add a marker behind everything that is pending, whether there is room or not."""
        self._markers += 1
        self._items.append(marker)

    def is_past(self, marker: FlushMarker) -> bool:
        """Return whether everything before a marker was taken."""
        return marker.reached

    # ── taking ──

    @property
    def waiting(self) -> int:
        """How many events of this process wait to be taken."""
        return len(self._items) - self._markers

    in_memory = waiting
    """How many of them are in memory."""

    @property
    def has_more(self) -> bool:
        """Whether there may be anything to take, also from other processes."""
        return len(self._items) > self._markers

    def seek_orphans(self) -> bool:
        """Lock what dead processes left, for the next `take`; return whether there is anything."""
        return False

    def take(self, count: int, size: int) -> tuple[list[tuple[bytes, Segment | None]], int]:
        """Return the next events, oldest first, and how many of them other processes accepted.

        With an event's bytes comes the segment where they stand, if they are in the spool.
        """
        return [(wire, None) for wire in self.take_from_memory(count, size)], 0

    def take_from_memory(self, count: int, size: int) -> list[bytes]:
        """Return the next events in memory, oldest first; a marker that is met ends the batch."""
        taken: list[bytes] = []
        taken_size = 0
        while len(taken) < count and taken_size < size:
            try:
                item = self._items.popleft()
            except IndexError:
                break
            if isinstance(item, FlushMarker):
                item.reached = True
                self._markers -= 1
                if item.is_withdrawn:
                    continue
                break
            taken.append(item)
            taken_size += len(item)
        self.bytes -= taken_size
        return taken

    def acknowledge(self, segment: Segment) -> None:
        """Let the spool forget an event of a segment, as it has an outcome.

        Raises:
            OSError: it cannot be written; the event may be delivered again by the next process.
        """

    def close(self) -> None:
        """Sync and close the files; what is left in them is for the next process."""
