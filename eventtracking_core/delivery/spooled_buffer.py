"""Events that wait before a backend: in a spool of files, and in memory before or beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.buffer import Buffer, FlushMarker
from eventtracking_core.delivery.storage.deaths import DeathCounts
from eventtracking_core.delivery.storage.spool import Spool
from eventtracking_core.diagnostics import ERROR, report_backend
from eventtracking_core.lifecycle.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.delivery.storage.segment import Segment

__all__ = ["SPOOL_FULL", "SpooledBuffer"]

SPOOL_FULL: Final = -1


class SpooledBuffer(Buffer):
    """The pending events of one leaf that has a spool.

    With the mode `spool` they are in the spool, and in memory while the disk refuses them; with
    `when_full = "spool"` they are in memory, and in the spool what finds no room there.

    Args:
        path: the leaf's path, for the log.
        options: how much may wait, and where.
        directory: the leaf's own directory.
        base: the directory that the operator configured.
        lost: called with the number of spooled events that cannot be read again.
    """

    spool: Spool
    deaths: DeathCounts

    def __init__(
        self,
        path: str,
        options: DeliveryOptions,
        directory: Path,
        base: Path,
        lost: Callable[[int], None],
    ) -> None:
        self._path = path
        self._is_memory_first = options.mode == "queue"
        self.spool = Spool(
            directory / "spool",
            max_bytes=options.max_spool_bytes,
            fsync_interval=options.fsync_interval,
            lost=lost,
            base=base,
        )
        self.deaths = DeathCounts(directory / "deliveries", base)
        super().__init__(options)

    def _reset(self) -> None:
        super()._reset()
        self._written_back = 0
        self.put = self._put()

    def forked(self) -> None:
        """Reset in a forked child: pending events are the parent's."""
        self.spool.forked()
        self.deaths.forked()
        super().forked()

    # ── adding ──

    def _put(self) -> Callable[[bytes], int]:
        path, spool, put_in_memory = self._path, self.spool, self.put_in_memory
        appender = spool.appender

        def put_on_disk(wire: bytes) -> int:
            # Counted first: nothing that an interrupt could end comes behind the append.
            waiting = appender.appended - spool.taken + 1
            if self.bytes:
                waiting += self.in_memory
            try:
                return waiting if appender.append(wire) else SPOOL_FULL
            except BlockingIOError:  # a signal handler emits, which interrupted an append
                return put_in_memory(wire, times=2)
            except OSError as error:
                pass_on(error)
                text = ": the spool cannot be written, events are kept in memory: %s"
                report_backend(ERROR, path, ("spool", error.errno), text, error)
                return put_in_memory(wire)

        def put_in_order(wire: bytes) -> int:
            # Events that overflowed are delivered first; later ones go behind them.
            return (not spool.unread and put_in_memory(wire)) or put_on_disk(wire)

        return put_in_order if self._is_memory_first else put_on_disk

    def put_in_spool(self, wire: bytes) -> bool:
        """Write an event to the spool; return whether there is room for it.

        Raises:
            OSError: the event was not written.
        """
        return self.spool.appender.append_later(wire)

    def mark(self, marker: FlushMarker) -> None:
        """Add a marker behind everything that is pending."""
        marker.written_back = self._written_back
        marker.spooled = self.spool.appended
        super().mark(marker)

    def is_past(self, marker: FlushMarker) -> bool:
        """Return whether everything before a marker was taken."""
        if marker.written_back != self._written_back:  # events before it are behind it now
            marker.written_back = self._written_back
            marker.spooled = self.spool.appended
        return marker.reached and self.spool.taken >= marker.spooled

    # ── writing back ──

    @property
    def is_refused(self) -> bool:  # type: ignore[override]
        """Whether there are events in memory that belong on a disk, which refused them."""
        return not self._is_memory_first and self.in_memory > 0

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
            wire = self._next()
            if wire is None or not self.write_back(wire):
                return
            self.take_from_memory(1, 1)

    def _next(self) -> bytes | None:
        """Return the oldest event in memory, which stays; None if a flush comes first."""
        while self._items:
            item = self._items[0]
            if not isinstance(item, FlushMarker):
                return item
            if not item.is_withdrawn:
                return None
            self._items.popleft()
            self._markers -= 1
        return None

    # ── taking ──

    @property
    def waiting(self) -> int:
        """How many events of this process wait to be taken."""
        return self.in_memory + self.spool.unread

    @property
    def backlog(self) -> int:  # type: ignore[override]
        """How many events of other processes were adopted and wait to be taken."""
        return self.spool.backlog

    @property
    def has_more(self) -> bool:
        """Whether there may be anything to take, also from other processes."""
        return self.in_memory > 0 or self.spool.has_more

    @property
    def has_adopted(self) -> bool:  # type: ignore[override]
        """Whether only events of other processes are left to take."""
        return self.spool.has_more and self.spool.unread == 0

    def seek_orphans(self) -> bool:
        """Lock what dead processes left, for the next `take`; return whether there is anything."""
        return self.spool.seek_orphans()

    def take(self, count: int, size: int) -> tuple[list[tuple[bytes, Segment | None]], int]:
        """Return the next events, oldest first, and how many of them other processes accepted."""
        wires: list[tuple[bytes, Segment | None]] = []
        recovered = 0
        if self._is_memory_first:
            wires += super().take(count, size)[0]
        if len(wires) < count:
            spooled, recovered = self.spool.take(count - len(wires), size)
            if recovered:
                self.deaths.collect()
            wires += spooled
        if not self._is_memory_first and len(wires) < count:
            wires += super().take(count - len(wires), size)[0]
        return wires, recovered

    def acknowledge(self, segment: Segment) -> None:
        """Let the spool forget an event of a segment, as it has an outcome.

        Raises:
            OSError: it cannot be written; the event may be delivered again by the next process.
        """
        self.spool.acknowledge(segment)

    def close(self) -> None:
        """Sync and close the files; what is left in them is for the next process."""
        self.spool.close()
        self.deaths.close()
