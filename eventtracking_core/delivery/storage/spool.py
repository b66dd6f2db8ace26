"""Events in files: what was accepted survives the process.

A spool is a directory; each process has a directory of its own in it, locked while it lives, with
numbered segments. Other processes adopt the directories of the dead.
"""

from __future__ import annotations

import errno
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Final

from eventtracking_core.delivery.queue import StoredError
from eventtracking_core.delivery.storage.adoption import Orphans
from eventtracking_core.delivery.storage.directory import ProcessDirectory, make_private
from eventtracking_core.delivery.storage.disk import DISK, Disk, identity, roll_back
from eventtracking_core.delivery.storage.format import (
    HEADER_SIZE,
    SUFFIX,
    frame,
)
from eventtracking_core.delivery.storage.quarantine import Quarantine
from eventtracking_core.delivery.storage.segment import Segment, SpooledEvent, begun
from eventtracking_core.delivery.storage.sync import Syncer
from eventtracking_core.diagnostics import describe, report

__all__ = ["Spool", "SpooledEvent"]

SEGMENT_BYTES: Final = 4 * 1024 * 1024
DAMAGED: Final = "damaged"
"""The directory beside the spool for quarantined bytes: those that are not a valid record."""

CHECK_INTERVAL: Final = 0.001
"""Seconds after which an append makes sure that the segment is still where others will find it."""

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
        lost: called with the number of events appended here that cannot be read again.
        base: the directory that the operator configured; no link is followed below it.
        disk: what is written and synced through.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        fsync_interval: float,
        lost: Callable[[int], None],
        base: Path | None = None,
        disk: Disk = DISK,
    ) -> None:
        self.directory = directory
        self._base = directory.parent if base is None else base
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
        self._syncer = Syncer(self._interval, self._disk, self._check)
        self._segments: deque[Segment] = deque()
        self._orphans = Orphans(self.directory, self._base)
        self._quarantine = Quarantine(self.directory.parent / DAMAGED, self._base)
        self._adopted_first = False
        # For appending, by the thread that holds the lock:
        self._is_writing = False
        self._own: ProcessDirectory | None = None
        self._current: Segment | None = None
        self._limit = 0
        self._check_at = 0.0
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
        """Write an event; return whether there was room for it.

        Raises:
            OSError: it was not written, and nothing of it remains.
            StoredError: it was written, and an interrupt came then.
        """
        record = frame(wire)
        size = len(record)
        is_stored = False
        try:
            with self._lock:
                if self._is_writing:  # this thread is, and a signal handler interrupted it
                    raise BlockingIOError(  # noqa: TRY301  the other `try` is about interrupts
                        errno.EAGAIN, os.strerror(errno.EAGAIN)
                    )
                self._is_writing = True
                try:
                    if monotonic() >= self._check_at:
                        self._keep_in_place()
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
                    is_stored = True
                    if self._syncer.dirty != descriptor:
                        self._syncer.written(descriptor)
                finally:
                    self._is_writing = False
        except BaseException as interrupt:
            if is_stored:
                raise StoredError from interrupt
            raise
        return True

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
        if self._own is not None and self._own.is_in_place():
            with suppress(FileNotFoundError):  # it was removed just now
                return begun(self._own.path / name, self._own)
        changed = make_private(self.directory, self._base)
        own = ProcessDirectory.make(self.directory)
        self._drop(self._own)
        self._own = own
        self._orphans.is_wanted = True
        self._syncer.named([*changed, self.directory])
        return begun(own.path / name, own)

    def _drop(self, owner: ProcessDirectory | None) -> None:
        """Let go of a directory that was replaced, unless its segments are still read."""
        if owner is not None and not any(each.owner is owner for each in self._segments):
            owner.close()

    def _complete(self) -> None:
        segment = self._current
        if segment is None:
            return
        if segment.outstanding or not segment.is_read:
            with suppress(OSError):  # then it can be read as long as this process lives
                self._keep_in_place()
            if self._current is None:
                return
        self._current = None
        self._syncer.finish(segment.descriptor, segment.file)
        self._bytes += segment.size
        segment.is_complete = True

    # ── staying where others find it ──

    def _check(self) -> None:
        """See to the present segment, in the thread that syncs."""
        with self._lock:
            if not self._is_writing:
                self._is_writing = True
                try:
                    self._keep_in_place()
                except OSError as error:
                    report(logging.ERROR, ("move", type(error)), "spool: %s", describe(error))
                finally:
                    self._is_writing = False

    def _keep_in_place(self) -> None:
        """Put the present segment in place again, where its directory was removed or replaced.

        Raises:
            OSError: it cannot be written there.
        """
        segment = self._current
        if segment is not None:
            is_open = identity(segment.descriptor) == segment.file
            if not segment.is_in_place():
                self._move(segment, is_open=is_open)
            elif not is_open:  # programs that turn into daemons close all descriptors
                self._abandon(segment)
        self._check_at = monotonic() + CHECK_INTERVAL if self._interval else 0.0

    def _move(self, segment: Segment, *, is_open: bool) -> None:
        """Write what a removed segment held into a new one, and go on there."""
        if not is_open:
            self._abandon(segment)
            return
        content = os.pread(segment.descriptor, segment.size, 0)
        moved = self._begin_segment()
        try:
            if self._write(moved.descriptor, content, 0) != len(content):
                roll_back(moved.descriptor, 0)
        except OSError:
            os.close(moved.descriptor)
            moved.path.unlink(missing_ok=True)
            raise
        self._syncer.finish(segment.descriptor, segment.file)
        owner = segment.owner
        segment.move(moved)
        if owner is not self._own:
            self._drop(owner)
        self._syncer.written(segment.descriptor)
        self._syncer.named([segment.path.parent])
        message = "spool: %s was removed by another program; its events are kept in a new one"
        report(logging.ERROR, ("removed", self.directory), message, owner.path)

    def _abandon(self, segment: Segment) -> None:
        """Append no more to a segment of which the descriptor is gone."""
        self._current = None
        self._bytes += segment.size
        segment.is_complete = True

    # ── adopting ──

    def seek_orphans(self) -> bool:
        """Lock what dead processes left, for the next `take`; return whether there is anything."""
        return self._orphans.seek(self._owners())

    def _adopt(self) -> None:
        if self._orphans.is_due:
            self.seek_orphans()
        segments = self._orphans.adopt()
        self._segments.extend(segments)
        self._bytes_freed -= sum(segment.size for segment in segments)

    @property
    def backlog(self) -> int:
        """How many events of other processes were adopted and wait to be taken."""
        return sum(segment.backlog for segment in list(self._segments) if segment.is_adopted)

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
            or self._orphans.is_wanted
            or len(self._orphans.claimed) > 0
            or any(segment.is_complete for segment in list(self._segments))
        )

    def take(self, max_records: int, max_bytes: int) -> tuple[list[SpooledEvent], int]:
        """Return the next events, oldest first, and how many of them were adopted."""
        self._adopt()
        self._quarantine.store()
        taken: list[SpooledEvent] = []
        recovered = 0
        segments = list(self._segments)
        # Every second batch, so that neither waits behind the other for ever.
        self._adopted_first = not self._adopted_first
        if self._adopted_first:
            segments.sort(key=lambda segment: not segment.is_adopted)
        for segment in segments:
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
            self._quarantine.add(name, damage)
        if lost:
            self._lost(lost)
        return wires

    def acknowledge(self, event: SpooledEvent) -> None:
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
        """Free the disk space, unless a thread is appending."""
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
        owner.release()
        if segment.is_failing:
            self._orphans.defer(owner.path)
        self._orphans.is_wanted = True  # there may be more than were adopted at once

    def close(self) -> None:
        """Sync and unlock; the next process delivers the pending events."""
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
        self._quarantine.close()
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
        self._orphans.claimed.clear()
        self._own = kept
        for owner in owners:
            owner.release()

    def _owners(self) -> set[ProcessDirectory]:
        owners = {
            *list(self._orphans.claimed),
            *(segment.owner for segment in list(self._segments)),
        }
        return owners if self._own is None else owners | {self._own}
