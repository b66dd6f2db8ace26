"""The segments that this process appends to: one at a time, where other processes find it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock, get_ident
from time import monotonic
from typing import Final

from eventtracking_core.delivery.storage.adoption import Orphans
from eventtracking_core.delivery.storage.directory import ProcessDirectory, make_private
from eventtracking_core.delivery.storage.disk import Disk, roll_back, write_whole
from eventtracking_core.delivery.storage.files import identity
from eventtracking_core.delivery.storage.format import HEADER_SIZE, SUFFIX, frame
from eventtracking_core.delivery.storage.segment import Segment, begun
from eventtracking_core.delivery.storage.sync import Syncer
from eventtracking_core.delivery.storage.turns import Turns
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.lifecycle.claims import call_into
from eventtracking_core.lifecycle.interrupts import StoredError

__all__ = ["Appender"]

SEGMENT_BYTES: Final = 4 * 1024 * 1024

CHECK_INTERVAL: Final = 0.001
"""Seconds after which an append makes sure that the segment is still where others will find it."""

ENDS_IN: Final = 0.1
"""Seconds to wait for an append to end: a signal handler that interrupted it may wait for us."""


class Appender:
    """Appends the events of all threads to segments, one after the other.

    Args:
        directory: the spool; made when it is first needed, for the owner alone.
        base: the directory that the operator configured; no link is followed below it.
        segments: where each new segment is added, for the thread that delivers.
        orphans: are looked for when this process has a new directory.
        max_bytes: what the segments may take together.
        fsync_interval: seconds between two syncs; 0 syncs each event before `append` returns.
        disk: what is written and synced through.
    """

    # Not in a `__dict__`, where eventlet would replace the lock: the worker is a native thread.
    __slots__ = (
        "_base", "_bytes", "_check_at", "_current", "_directory", "_interval", "_limit", "_lock",
        "_max_bytes", "_number", "_orphans", "_segment_bytes", "_segments", "_syncer", "_turns",
        "_write", "appended", "bytes_freed", "own",
    )  # fmt: skip

    def __init__(
        self,
        directory: Path,
        base: Path,
        segments: deque[Segment],
        orphans: Orphans,
        *,
        max_bytes: int,
        fsync_interval: float,
        disk: Disk,
    ) -> None:
        self._directory = directory
        self._base = base
        self._segments = segments
        self._orphans = orphans
        self._max_bytes = max_bytes
        # Segments are removed as a whole: there must be several, or a full spool stays full.
        self._segment_bytes = min(SEGMENT_BYTES, max_bytes // 4)
        self._interval = fsync_interval
        self._write = disk.write
        self._syncer = Syncer(fsync_interval, disk, self._check)
        self._lock = RLock()
        self._turns = Turns()
        # For the thread that holds the lock:
        self._current: Segment | None = None
        self._limit = 0
        self._check_at = 0.0
        self._number = 0
        self._bytes = 0
        self.own: ProcessDirectory | None = None
        """The directory of this process, once there is one."""
        self.appended = 0
        # For the thread that delivers:
        self.bytes_freed = 0

    def forked(self) -> None:
        """Close, in a forked child, what is the parent's; it is not used any more."""
        self._syncer.forked()

    def append(self, wire: bytes) -> bool:  # noqa: C901  each step inline, for speed
        """Write an event; return whether there was room for it.

        Raises:
            OSError: it was not written, and nothing of it remains.
            StoredError: it was written, and an interrupt came then.
        """
        record = frame(wire)
        size = len(record)
        thread, turns = get_ident(), self._turns
        if turns.inside or (turns.holder and turns.holder != thread):
            turns.enter(thread)
        is_stored = False
        try:
            turns.inside += 1
            with self._lock:
                if turns.writer:  # this thread is, and a signal handler interrupted it
                    raise BlockingIOError  # noqa: TRY301  the other `try` is about interrupts
                turns.writer = thread
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
                    turns.writer = 0
            if turns.holder == thread:
                turns.leave()
        except BaseException as interrupt:
            if is_stored:
                raise StoredError from interrupt
            raise
        finally:
            turns.inside -= 1
        return True

    def append_later(self, wire: bytes) -> bool:
        """Write an event that waited in memory; return whether there was room for it.

        Raises:
            OSError: it was not written, perhaps since another append did not end.
        """
        with self._locked() as is_locked:
            if not is_locked:
                raise BlockingIOError
            return self.append(wire)

    @contextmanager
    def _locked(self, timeout: float = ENDS_IN) -> Iterator[bool]:
        acquired: list[bool] = []
        try:
            call_into(acquired, self._lock.acquire, True, timeout)  # noqa: FBT003  C
            yield acquired[0]
        finally:
            if acquired and acquired[0]:
                self._lock.release()

    # ── segments ──

    def _begun(self, size: int) -> Segment | None:
        """Begin a segment where a record of some size fits in; None where there is no room."""
        # First of all, so that a full disk cannot keep what is delivered from being removed.
        self._complete()
        room = self._max_bytes - (self._bytes - self.bytes_freed)
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
        if self.own is not None and self.own.is_in_place():
            with suppress(FileNotFoundError):  # it was removed just now
                return begun(self.own.path / name, self.own)
        changed = make_private(self._directory, self._base)
        own = ProcessDirectory.make(self._directory)
        self._drop(self.own)
        self.own = own
        self._orphans.is_wanted = True
        self._syncer.named([*changed, self._directory])
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
        with self._locked() as is_locked:
            if is_locked and not self._turns.writer:
                self._turns.writer = get_ident()
                try:
                    self._keep_in_place()
                except OSError as error:
                    report(ERROR, ("move", type(error)), "spool: %s", error)
                finally:
                    self._turns.writer = 0

    def _keep_in_place(self) -> None:
        """Go on in another segment if the present one was closed, removed or replaced.

        Raises:
            OSError: it cannot be written there.
        """
        segment = self._current
        if segment is not None:
            try:
                opened, named = os.fstat(segment.descriptor), os.lstat(segment.path)
                files = (opened.st_dev, opened.st_ino), (named.st_dev, named.st_ino)
            except OSError:
                files = None
            if files != (segment.file, segment.file):
                if identity(segment.descriptor) != segment.file:
                    self._abandon(segment)  # programs that turn into daemons close all descriptors
                elif not segment.is_in_place():
                    self._move(segment)
        self._check_at = monotonic() + CHECK_INTERVAL if self._interval else 0.0

    def _move(self, segment: Segment) -> None:
        """Write what a removed segment held into a new one, and go on there."""
        content = os.pread(segment.descriptor, segment.size, 0)
        moved = self._begin_segment()
        try:
            write_whole(self._write, moved.descriptor, content, 0)
        except OSError:
            os.close(moved.descriptor)
            moved.path.unlink(missing_ok=True)
            raise
        self._syncer.finish(segment.descriptor, segment.file)
        owner = segment.owner
        segment.move(moved)
        if owner is not self.own:
            self._drop(owner)
        self._syncer.written(segment.descriptor)
        self._syncer.named([segment.path.parent])
        message = "spool: %s was removed by another program; its events are kept in a new one"
        report(ERROR, ("removed", self._directory), message, owner.path)

    def _abandon(self, segment: Segment) -> None:
        """Append no more to a segment of which the descriptor is gone."""
        self._current = None
        self._bytes += segment.size
        segment.is_complete = True

    # ── the thread that delivers ──

    def complete_drained(self, segment: Segment) -> None:
        """Free the disk space of a segment that was delivered, unless a thread is appending."""
        if segment.is_complete or segment.size <= self._segment_bytes // 4:
            return
        with self._locked(0.0) as is_locked:
            if is_locked and segment.is_read and not self._turns.writer:
                self._complete()

    def end(self) -> bool:
        """Complete the present segment; return whether that was possible.

        The lock is not to be had where the signal that ends the process interrupted an append: then
        the present segment and its directory stay as they are, and end with the process.
        """
        with self._locked() as is_locked:
            if ends := is_locked and not self._turns.writer:
                self._complete()
        return ends

    def close(self) -> None:
        """Sync what is left, and end the thread that syncs."""
        self._syncer.close()
