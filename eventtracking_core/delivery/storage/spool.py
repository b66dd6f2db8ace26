"""Events in files: what was accepted survives the process.

A spool is a directory; each process has a directory of its own in it, locked while it lives, with
numbered segments. Other processes adopt the directories of the dead.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Final

from eventtracking_core.delivery.storage.directory import ProcessDirectory, make_private, orphans
from eventtracking_core.delivery.storage.disk import DISK, Disk, roll_back
from eventtracking_core.delivery.storage.format import HEADER_SIZE, SUFFIX, frame
from eventtracking_core.delivery.storage.quarantine import quarantine
from eventtracking_core.delivery.storage.segment import Segment, SpooledEvent, adopted, begun
from eventtracking_core.delivery.storage.sync import Syncer

__all__ = ["Spool", "SpooledEvent"]

SEGMENT_BYTES: Final = 4 * 1024 * 1024
DAMAGED: Final = "damaged"
"""Beside the spool, where bytes that are no sound record are set aside."""

ADOPTS_AT_ONCE: Final = 8
"""Directories, each of which takes a descriptor for its lock, and one for its reader."""

CLOSES_IN: Final = 0.1
"""Seconds that closing waits for an append to end."""


class Spool:
    """The spooled events of one leaf.

    `append` and `seek_orphans` are for any thread. Everything else is for the one thread that
    delivers.

    Args:
        directory: the leaf's; made when it is first needed, for the owner alone.
        max_bytes: what the segments may take together.
        fsync_interval: seconds between two syncs; 0 syncs each event before `append` returns.
        lost: is told how many of the events appended here cannot be read again.
        disk: what is written and synced through.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        fsync_interval: float,
        lost: Callable[[int], None],
        disk: Disk = DISK,
    ) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        # Segments are removed as a whole: there must be several, or a full spool stays full.
        self._segment_bytes = min(SEGMENT_BYTES, max_bytes // 4)
        self._interval = fsync_interval
        self._lost = lost
        self._disk = disk
        self._write = disk.write
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._lock = RLock()
        self._syncer = Syncer(self._interval, self._disk)
        self._segments: deque[Segment] = deque()
        self._orphans: deque[ProcessDirectory] = deque()
        self._seeks_orphans = False
        # For appending, by whoever holds the lock:
        self._is_writing = False
        self._own: ProcessDirectory | None = None
        self._current: Segment | None = None
        self._limit = 0
        self._number = 0
        self._bytes = 0
        self.appended = 0
        # For the thread that delivers:
        self._bytes_freed = 0
        self.taken = 0
        self.damaged = 0

    def forked(self) -> None:
        """Begin empty in a forked child; what is the parent's stays locked and whole."""
        for owner in self._owners():
            with suppress(OSError):
                owner.close()
        for segment in self._segments:
            segment.forked()
        self._syncer.forked()
        self._begin_empty()

    # ── writing ──

    def append(self, wire: bytes) -> bool:
        """Write an event; tell whether there was room for it.

        Raises:
            OSError: it was not written, and nothing of it remains.
        """
        record = frame(wire)
        size = len(record)
        with self._lock:
            if self._is_writing:  # this thread is, and a signal handler interrupted it
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            self._is_writing = True
            try:
                segment = self._current
                if segment is None or segment.size + size > self._limit:
                    segment = self._begun(size)
                    if segment is None:
                        return False
                descriptor, begin = segment.descriptor, segment.size
                if self._write(descriptor, record, begin) != size:
                    roll_back(descriptor, begin)
                self.appended += 1
                segment.size = begin + size
                segment.appended += 1
                if self._syncer.dirty != descriptor:
                    self._syncer.written(descriptor)
                return True
            finally:
                self._is_writing = False

    def _begun(self, size: int) -> Segment | None:
        """Begin a segment where a record of some size fits in; None where there is no room."""
        # First of all, so that a full disk cannot keep what is delivered from being removed.
        self._complete()
        room = self._max_bytes - (self._bytes - self._bytes_freed)
        needed = HEADER_SIZE + size
        if room < needed:
            return None
        segment = self._begin_segment()
        self._limit = min(room, max(self._segment_bytes, needed))
        self._segments.append(segment)
        self._current = segment
        self._syncer.named([segment.path.parent])
        return segment

    def _begin_segment(self) -> Segment:
        self._number += 1
        name = f"{self._number:08d}{SUFFIX}"
        if self._own is not None:
            try:
                return begun(self._own.path / name, self._own)
            except FileNotFoundError:  # somebody removed our directory
                self._own.close()
        changed = make_private(self.directory)
        self._own = ProcessDirectory.make(self.directory)
        self._seeks_orphans = True
        self._syncer.named([*changed, self.directory])
        return begun(self._own.path / name, self._own)

    def _complete(self) -> None:
        segment, self._current = self._current, None
        if segment is not None:
            self._syncer.finish(segment.descriptor)
            self._bytes += segment.size
            segment.is_complete = True

    # ── adopting ──

    def seek_orphans(self) -> bool:
        """Lock what dead processes left, for the next `take`; tell whether there is anything."""
        self._orphans.extend(islice(orphans(self.directory), ADOPTS_AT_ONCE))
        return bool(self._orphans)

    def _adopt(self) -> None:
        if self._seeks_orphans:
            self._seeks_orphans = False
            self.seek_orphans()
        while self._orphans:
            owner = self._orphans.popleft()
            segments = adopted(owner)
            self._segments.extend(segments)
            self._bytes_freed -= sum(segment.size for segment in segments)
            if not segments:
                owner.release()

    # ── reading ──

    @property
    def unread(self) -> int:
        """How many of the events appended here wait to be taken."""
        return self.appended - self.taken

    @property
    def has_more(self) -> bool:
        """Whether there may be anything to take: events, or what the dead left."""
        return (
            self.appended != self.taken
            or self._seeks_orphans
            or len(self._orphans) > 0
            or any(segment.is_complete for segment in list(self._segments))
        )

    def take(self, max_records: int, max_bytes: int) -> tuple[list[SpooledEvent], int]:
        """Return the next events, oldest first, and how many of them were adopted."""
        self._adopt()
        taken: list[SpooledEvent] = []
        recovered = 0
        for segment in list(self._segments):
            wires = self._read(segment, max_records - len(taken), max_bytes)
            taken += [SpooledEvent(wire, segment) for wire in wires]
            max_bytes -= sum(map(len, wires))
            recovered += len(wires) if segment.is_adopted else 0
            if segment.is_done:
                self._remove(segment)
            if len(taken) >= max_records or max_bytes <= 0:
                break
        return taken, recovered

    def _read(self, segment: Segment, max_records: int, max_bytes: int) -> list[bytes]:
        wires, damaged, lost = segment.read(max_records, max_bytes)
        if not segment.is_adopted:
            self.taken += len(wires) + lost
        for damage in damaged:
            self.damaged += 1
            name = f"{segment.owner.path.name}-{segment.path.stem}-{self.damaged}"
            quarantine(self.directory.parent / DAMAGED / name, damage)
        if lost:
            self._lost(lost)
        return wires

    def settle(self, event: SpooledEvent) -> None:
        """Say that an event needs no further attempt; a segment that is done is removed."""
        segment = event.segment
        segment.outstanding -= 1
        if segment.outstanding:
            return
        if segment.is_read and not segment.is_complete and segment.size > self._segment_bytes // 4:
            self._complete_drained(segment)
        if segment.is_done:
            self._remove(segment)
        else:
            segment.acknowledge()

    def _complete_drained(self, segment: Segment) -> None:
        """Give back the disk's room, unless somebody is appending."""
        if self._lock.acquire(blocking=False):
            try:
                if segment.is_read and not self._is_writing:
                    self._complete()
            finally:
                self._lock.release()

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        segment.remove()
        self._bytes_freed += segment.size
        owner = segment.owner
        if owner is self._own or any(other.owner is owner for other in self._segments):
            return
        if owner.release():  # there may be more than were adopted at once
            self._seeks_orphans = True

    def close(self) -> None:
        """Let go and sync; what is not settled is there for whoever comes next."""
        # The lock is not to be had where the signal that ends the process interrupted an append:
        # then the present segment and its directory stay as they are, and end with the process.
        acquired = self._lock.acquire(timeout=CLOSES_IN)
        ends = acquired and not self._is_writing
        try:
            if ends:
                self._complete()
        finally:
            if acquired:
                self._lock.release()
        self._let_go(None if ends else self._own)
        self._syncer.close()

    def _let_go(self, kept: ProcessDirectory | None) -> None:
        owners = self._owners() - {kept}
        for segment in [each for each in self._segments if each.owner is not kept]:
            self._segments.remove(segment)
            if segment.is_done:
                segment.remove()
            else:
                segment.close()
        self._orphans.clear()
        self._own = kept
        for owner in owners:
            owner.release()

    def _owners(self) -> set[ProcessDirectory]:
        owners = {*self._orphans, *(segment.owner for segment in self._segments)}
        return owners if self._own is None else owners | {self._own}
