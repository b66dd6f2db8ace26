"""Events in files: what was accepted survives the process.

A spool is a directory; each process has a directory of its own in it, locked while it lives, with
numbered segments. Whoever configures the spool later adopts the directories of the dead.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from threading import RLock
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.segments import SUFFIX, SegmentReader, create, frame
from eventtracking_core.delivery.sync import Syncer
from eventtracking_core.diagnostics import describe, report

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Spool", "SpooledEvent"]

SEGMENT_BYTES: Final = 4 * 1024 * 1024
LOCK: Final = "lock"
DAMAGED: Final = "damaged"
"""Below a spool, where bytes that are no sound record are set aside."""


class _Segment:
    """A file of the spool, as its one reader sees it."""

    def __init__(self, path: Path, owner: _Directory) -> None:
        self.path = path
        self.owner = owner
        self.reader: SegmentReader | None = None
        self.complete = False
        self.outstanding = 0


class _Directory:
    """A process's directory, which we hold the lock of."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock
        self.segments = 0

    def release(self) -> None:
        """Let go of the directory; remove it where nothing is left in it."""
        if self.segments == 0:
            (self.path / LOCK).unlink(missing_ok=True)
            with suppress(OSError):  # somebody put a file there
                self.path.rmdir()
        os.close(self.lock)


class SpooledEvent:
    """An event's bytes, and where they stand."""

    __slots__ = ("segment", "wire")

    def __init__(self, wire: bytes, segment: _Segment) -> None:
        self.wire = wire
        self.segment = segment


class Spool:
    """The spooled events of one leaf.

    `append` is for any thread. Everything else is for the one thread that delivers.

    Args:
        directory: the leaf's; made when it is first needed, for the owner alone.
        max_bytes: what the segments may take together.
        fsync_interval: seconds between two syncs; 0 syncs each event before `append` returns.
    """

    def __init__(self, directory: Path, *, max_bytes: int, fsync_interval: float) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        self._interval = fsync_interval
        self.damaged = 0
        self._segments: deque[_Segment] = deque()
        self._reset()

    def _reset(self) -> None:
        self._lock = RLock()
        self._syncer = Syncer(self._interval)
        self._own: _Directory | None = None
        self._descriptor: int | None = None
        self._size = 0
        self._bytes = 0
        self._number = 0
        self.appended = 0
        self.taken = 0

    def forked(self) -> None:
        """Let go, in a forked child, of what is the parent's; its lock stays locked."""
        descriptors = {segment.owner.lock for segment in self._segments}
        descriptors |= {self._own.lock} if self._own else set()
        descriptors |= {self._descriptor} if self._descriptor is not None else set()
        for segment in self._segments:
            if segment.reader is not None:
                segment.reader.close()
        for descriptor in descriptors | self._syncer.descriptors():
            os.close(descriptor)
        self._segments.clear()
        self._reset()

    # ── writing ──

    def append(self, wire: bytes) -> bool:
        """Write an event; tell whether there was room for it.

        Raises:
            OSError: it was not written, and nothing of it remains.
        """
        record = frame(wire)
        with self._lock:
            if self._bytes + len(record) > self._max_bytes:
                return False
            if self._descriptor is None or self._size >= SEGMENT_BYTES:
                self._rotate()
            descriptor = self._descriptor
            assert descriptor is not None  # noqa: S101  _rotate made it
            self._write(descriptor, record)
            self._size += len(record)
            self._bytes += len(record)
            self.appended += 1
            self._syncer.written(descriptor)
        return True

    def _write(self, descriptor: int, record: bytes) -> None:
        try:
            written = os.write(descriptor, record)
        except OSError:
            written = -1
            raise
        finally:
            if written != len(record):
                # Nothing else is appended while we hold the lock: cut what is torn.
                self._cut(descriptor)
        if written != len(record):
            raise OSError(28, "No space left on device")

    def _cut(self, descriptor: int) -> None:
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:  # the reader's checksums tell; go on in a new segment
            self._size = SEGMENT_BYTES

    def _rotate(self) -> None:
        own = self._own or self._make_own()
        self._number += 1
        path = own.path / f"{self._number:08d}{SUFFIX}"
        descriptor = create(path)
        if self._descriptor is not None:
            self._syncer.finish(self._descriptor)
            self._segments_of(own)[-1].complete = True
        own.segments += 1
        self._segments.append(_Segment(path, own))
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._bytes += self._size

    def _segments_of(self, owner: _Directory) -> list[_Segment]:
        return [segment for segment in list(self._segments) if segment.owner is owner]

    def _make_own(self) -> _Directory:
        path = self.directory / f"{os.getpid()}-{token_hex(4)}"
        path.mkdir(mode=0o700, parents=True)
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._own = _Directory(path, lock)
        return self._own

    # ── adopting ──

    def adopt(self) -> bool:
        """Take over what processes that ended left behind; tell whether there was anything."""
        found = False
        for path in sorted(self.directory.glob(f"*/{LOCK}")):
            directory = self._adopted(path)
            if directory is None:
                continue
            files = sorted(directory.path.glob(f"*{SUFFIX}"))
            directory.segments = len(files)
            for file in files:
                segment = _Segment(file, directory)
                segment.complete = True
                self._segments.append(segment)
                self._bytes += file.stat().st_size
                found = True
            if not files:
                directory.release()
        return found

    def _adopted(self, path: Path) -> _Directory | None:
        try:
            lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another may have adopted and removed it between the opening and the locking.
            if os.fstat(lock).st_ino == path.stat().st_ino:
                return _Directory(path.parent, lock)
        except OSError:  # its process lives
            pass
        os.close(lock)
        return None

    # ── reading ──

    @property
    def unread(self) -> int:
        """How many of the events appended here wait to be taken."""
        return self.appended - self.taken

    @property
    def has_more(self) -> bool:
        """Whether there may be anything to take: events, or segments of the dead."""
        return self.unread > 0 or any(segment.complete for segment in list(self._segments))

    def take(self, max_records: int, max_bytes: int) -> tuple[list[SpooledEvent], int]:
        """Return the next events, oldest first, and how many of them were adopted."""
        taken: list[SpooledEvent] = []
        recovered = 0
        for segment in list(self._segments):
            complete = segment.complete  # before reading: what came until then is all of it
            for wire in self._read(segment, max_records - len(taken), max_bytes, complete=complete):
                taken.append(SpooledEvent(wire, segment))
                max_bytes -= len(wire)
            own = segment.owner is self._own
            count = sum(event.segment is segment for event in taken)
            recovered += 0 if own else count
            self.taken += count if own else 0
            if complete and segment.outstanding == 0 and self._is_read(segment):
                self._remove(segment)
            if len(taken) >= max_records or max_bytes <= 0:
                break
        return taken, recovered

    def _read(
        self, segment: _Segment, max_records: int, max_bytes: int, *, complete: bool
    ) -> Iterator[bytes]:
        try:
            if segment.reader is None:
                segment.reader = SegmentReader(segment.path)
            found = segment.reader.read(max_records, max_bytes, complete=complete)
        except OSError as error:
            report(logging.ERROR, ("spool", type(error)), "spool: %s", describe(error))
            return
        for damage in found.damaged:
            self._set_aside(segment, damage)
        for wire, _ in found.records:
            segment.outstanding += 1
            yield wire

    def _is_read(self, segment: _Segment) -> bool:
        reader = segment.reader
        return reader is not None and reader.position >= reader.size()

    def settle(self, event: SpooledEvent) -> None:
        """Say that an event needs no further attempt; a segment that is done is removed."""
        segment = event.segment
        segment.outstanding -= 1
        if segment.outstanding or segment.reader is None:
            return
        if segment.complete and self._is_read(segment):
            self._remove(segment)
        else:
            segment.reader.acknowledge(segment.reader.position)

    def _remove(self, segment: _Segment) -> None:
        if segment.reader is None:
            return
        size = segment.reader.size()
        segment.reader.close()
        segment.path.unlink(missing_ok=True)
        self._segments.remove(segment)
        with self._lock:
            self._bytes -= size
        segment.owner.segments -= 1
        if segment.owner.segments == 0 and segment.owner is not self._own:
            segment.owner.release()

    def _set_aside(self, segment: _Segment, damage: bytes) -> None:
        self.damaged += 1
        report(logging.ERROR, "damaged", "spool: %d damaged bytes were set aside", len(damage))
        try:
            place = self.directory / DAMAGED
            place.mkdir(mode=0o700, exist_ok=True)
            name = f"{segment.owner.path.name}-{segment.path.stem}-{self.damaged}"
            descriptor = os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(damage)
        except OSError as error:
            report(logging.ERROR, ("aside", type(error)), "spool: %s", describe(error))

    def close(self) -> None:
        """Sync and let go; what is not settled is there for whoever comes next."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                self._syncer.finish(descriptor)
            self._syncer.close()
            own = self._own
            if own is not None and self._segments_of(own):
                last = self._segments_of(own)[-1]
                last.complete = True
                if last.outstanding == 0 and last.reader is not None and self._is_read(last):
                    self._remove(last)
            owners = {id(segment.owner): segment.owner for segment in self._segments}
            if own is not None:
                owners[id(own)] = own
            for segment in self._segments:
                if segment.reader is not None:
                    segment.reader.close()
            self._segments.clear()
            for owner in owners.values():
                owner.release()
            self._own = None
