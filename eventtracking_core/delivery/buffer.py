"""Events that wait before a backend: in a queue in memory, in a spool of files, or in both."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.queue import MemoryQueue
from eventtracking_core.delivery.storage.deaths import DeathCounts
from eventtracking_core.delivery.storage.spool import Spool, SpooledEvent
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.delivery.queue import FlushMarker

__all__ = ["SPOOL_FULL", "Buffer"]

SPOOL_FULL: Final = -1


class Buffer:
    """The pending events of one leaf.

    `put`, `put_in_spool` and `mark` are for any thread and for signal handlers, `seek_orphans` for
    any thread. Everything else is for the thread that delivers.

    Args:
        path: the leaf's path, for the log.
        options: how much may wait, and where.
        directory: the leaf's own directory.
        base: the directory that the operator configured.
        lost: called with the number of spooled events that cannot be read again.
    """

    def __init__(
        self,
        path: str,
        options: DeliveryOptions,
        directory: Path,
        base: Path,
        lost: Callable[[int], None],
    ) -> None:
        self._path = path
        self._options = options
        self.spool = (
            Spool(
                directory / "spool",
                max_bytes=options.max_spool_bytes,
                fsync_interval=options.fsync_interval,
                lost=lost,
                base=base,
            )
            if "spool" in {options.mode, options.when_full}
            else None
        )
        self.deaths = DeathCounts(directory / "deliveries", base)
        self._reset()

    def _reset(self) -> None:
        self.queue = MemoryQueue(self._options.max_queue_size, self._options.max_queue_bytes)
        self._written_back = 0
        self.put = self._put()
        """Store an event; return how many wait then, or `QUEUE_FULL` or `SPOOL_FULL`."""

    def forked(self) -> None:
        """Reset in a forked child: pending events are the parent's."""
        if self.spool is not None:
            self.spool.forked()
        self.deaths.forked()
        self._reset()

    # ── adding ──

    def _put(self) -> Callable[[bytes], int]:
        queue, spool = self.queue, self.spool
        if spool is None:
            return queue.put
        appender = spool.appender

        def put_on_disk(wire: bytes) -> int:
            # Counted first: nothing that an interrupt could end comes behind the append.
            waiting = appender.appended - spool.taken + 1
            if queue.bytes:
                waiting += len(queue)
            try:
                return waiting if appender.append(wire) else SPOOL_FULL
            except OSError as error:
                pass_on(error)
                if not isinstance(error, BlockingIOError):  # a signal handler emits
                    self._report(error)
                return queue.put(wire)

        def put_in_order(wire: bytes) -> int:
            # Events that overflowed are delivered first; later ones go behind them.
            return (not spool.unread and queue.put(wire)) or put_on_disk(wire)

        return put_in_order if self._options.mode == "queue" else put_on_disk

    def put_in_spool(self, wire: bytes) -> bool:
        """Write an event to the spool; return whether there is one with room for it.

        Raises:
            OSError: the event was not written.
        """
        return self.spool is not None and self.spool.append(wire)

    def mark(self, marker: FlushMarker) -> None:
        """Add a marker behind everything that is pending."""
        marker.written_back = self._written_back
        if self.spool is not None:
            marker.spooled = self.spool.appended
        self.queue.put_marker(marker)

    def is_past(self, marker: FlushMarker) -> bool:
        """Return whether everything before a marker was taken."""
        if self.spool is None:
            return marker.reached
        if marker.written_back != self._written_back:  # events before it are behind it now
            marker.written_back = self._written_back
            marker.spooled = self.spool.appended
        return marker.reached and self.spool.taken >= marker.spooled

    # ── writing back ──

    @property
    def is_refused(self) -> bool:
        """Whether there are events in memory that belong on a disk, which refused them."""
        return self._options.mode == "spool" and len(self.queue) > 0

    def write_back(self, wire: bytes) -> bool:
        """Write an event to the spool that the disk refused; return whether that worked."""
        try:
            is_written = self.put_in_spool(wire)
        except OSError:  # reported when it was refused
            return False
        self._written_back += is_written
        return is_written

    def write_back_queue(self) -> None:
        """Write the events to the spool that the disk refused, as far as it takes them now."""
        while self.is_refused:
            wire = self.queue.next()
            if wire is None or not self.write_back(wire):
                return
            self.queue.take(1, 1)

    # ── taking ──

    @property
    def waiting(self) -> int:
        """How many events of this process wait to be taken."""
        spool = self.spool
        return len(self.queue) if spool is None else len(self.queue) + spool.unread

    @property
    def backlog(self) -> int:
        """How many events of other processes were adopted and wait to be taken."""
        return 0 if self.spool is None else self.spool.backlog

    @property
    def has_more(self) -> bool:
        """Whether there may be anything to take, also from other processes."""
        spool = self.spool
        return len(self.queue) > 0 or (spool is not None and spool.has_more)

    @property
    def has_adopted(self) -> bool:
        """Whether only events of other processes are left to take."""
        spool = self.spool
        return spool is not None and spool.has_more and spool.unread == 0

    def seek_orphans(self) -> bool:
        """Lock what dead processes left, for the next `take`; return whether there is anything."""
        return self.spool is not None and self.spool.seek_orphans()

    def take(self, count: int, size: int) -> tuple[list[tuple[bytes, SpooledEvent | None]], int]:
        """Return the next events, oldest first, and how many of them other processes accepted."""
        if self.spool is None:
            return [(wire, None) for wire in self.queue.take(count, size)], 0
        wires: list[tuple[bytes, SpooledEvent | None]] = []
        recovered = 0
        if self._options.mode == "queue":
            wires += [(wire, None) for wire in self.queue.take(count, size)]
        if len(wires) < count:
            spooled, recovered = self.spool.take(count - len(wires), size)
            if recovered:
                self.deaths.collect()
            wires += [(event.wire, event) for event in spooled]
        if self._options.mode == "spool" and len(wires) < count:
            wires += [(wire, None) for wire in self.queue.take(count - len(wires), size)]
        return wires, recovered

    def acknowledge(self, event: SpooledEvent) -> None:
        """Let the spool forget an event that has an outcome.

        Raises:
            OSError: it cannot be written; the event may be delivered again by the next process.
        """
        if self.spool is not None:
            self.spool.acknowledge(event)

    def close(self) -> None:
        """Sync and close the files; what is left in them is for the next process."""
        if self.spool is not None:
            self.spool.close()
            self.deaths.close()

    def _report(self, error: OSError) -> None:
        report(
            logging.ERROR,
            (self._path, "spool", error.errno),
            "backend %s: the spool cannot be written, events are kept in memory: %s",
            self._path,
            describe(error),
            extra={"backend": self._path, "error": type(error).__name__},
        )
