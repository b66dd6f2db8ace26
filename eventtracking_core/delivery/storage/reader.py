"""Read files of records; what is damaged is passed over, and handed out too.

After damage the reader goes on at the next mark with a sound record. A file of another format is
left alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from eventtracking_core.delivery.storage.files import close_ours, identity, open_regular
from eventtracking_core.delivery.storage.format import (
    FAMILY,
    HEADER_SIZE,
    MAGIC,
    MARK,
    MAX_RECORD,
    RECORD,
    acknowledged,
    acknowledgement,
)

__all__ = ["Damage", "Read", "SegmentReader", "UnknownFormatError"]

CHUNK: Final = 1 << 18
MAX_DAMAGE: Final = 1 << 20
"""Bytes of one damage that are kept."""


class UnknownFormatError(Exception):
    """A file is of a later version, or none of ours: it is left alone."""


class Damage(NamedTuple):
    """Bytes that do not form a sound record: how many, and the first of them."""

    size: int
    content: bytes


class Read(NamedTuple):
    """A part of a segment: payloads, each with the position after it, and the damaged bytes."""

    records: list[tuple[bytes, int]]
    damaged: list[Damage]


class SegmentReader:
    """Reads one segment from where it is acknowledged, while others may append to it.

    Args:
        file: its path; or a descriptor, which the reader closes.

    Raises:
        OSError: it cannot be opened or read.
        UnknownFormatError: it is no segment, or one of a later version.
    """

    def __init__(self, file: Path | int) -> None:
        self._descriptor = file if isinstance(file, int) else open_regular(file)
        status = os.fstat(self._descriptor)
        self.identity: Final = (status.st_dev, status.st_ino)
        """The file's device and number, by which it is recognised."""
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        self._rewind(HEADER_SIZE)
        self._damaged_size = 0
        self._damaged = bytearray()
        self._end = self.size()
        header = os.pread(self._descriptor, HEADER_SIZE, 0)
        if not header.startswith(MAGIC) and not self._is_damaged_segment(header):
            raise UnknownFormatError
        self._rewind(min(acknowledged(header), max(HEADER_SIZE, self._end)))

    def _rewind(self, position: int) -> None:
        self._buffer = b""
        self._at = 0
        self.position = position

    def _is_damaged_segment(self, header: bytes) -> bool:
        """Return whether a file is a segment of this version, though it does not begin as one."""
        if header.startswith(FAMILY) and len(header) >= len(MAGIC):  # a later version
            return False
        if self._end < HEADER_SIZE:
            return MAGIC.startswith(header) or not any(header)  # its process ended that early
        if self.read(1, 1, complete=True).records:
            return True
        return not any(os.pread(self._descriptor, MAX_DAMAGE, 0))  # the power went

    def seek(self, position: int) -> None:
        """Go on reading at a position, where a record begins."""
        self._rewind(position)

    def count(self) -> int:
        """Return how many records there seem to be from here on, without looking into them."""
        position, number = self.position, 0
        self._end = self.size()
        while self._fill(RECORD.size):
            mark, length, _ = RECORD.unpack_from(self._buffer, self._at)
            if mark == MARK and self.position + RECORD.size + length <= self._end:
                number += 1
                self._jump(RECORD.size + length)
            else:
                self._jump(1)
                self._skip_to_mark()
        self._rewind(position)
        return number

    def _jump(self, size: int) -> None:
        """Go on, also beyond what is in the buffer."""
        if size > len(self._buffer) - self._at:
            self._rewind(self.position + size)
        else:
            self._skip(size)

    def size(self) -> int:
        """Return the segment's present size in bytes."""
        return os.fstat(self._descriptor).st_size

    def read(
        self, max_records: int, max_bytes: int, *, complete: bool, end: int | None = None
    ) -> Read:
        """Read on, until a number of records or bytes is reached, or what is written ends.

        Args:
            max_records: at most so many.
            max_bytes: stop after so many bytes of payload.
            complete: no one is writing before the end, so what remains there is damage.
            end: where to end; the end of the file if not given.
        """
        self._end = self.size() if end is None else end
        batch = Read([], [])
        read = 0
        while len(batch.records) < max_records and read < max_bytes:
            try:
                payload = self._next(batch.damaged, complete=complete)
            except OSError:
                if batch.records or batch.damaged:
                    break  # it will fail again, and what was read is not lost
                raise
            if payload is None:
                break
            read += len(payload)
            batch.records.append((payload, self.position))
        return batch

    def acknowledge(self, position: int) -> None:
        """Note, for the next reader, that everything before a position is complete.

        Raises:
            OSError: it cannot be noted.
        """
        if self.is_open:
            os.pwrite(self._descriptor, acknowledgement(position), len(MAGIC))

    def close(self) -> None:
        """Close the file; the reader is done."""
        # Out of sight first: a child forked now must not close a number that is in use again.
        descriptor, self._descriptor = self._descriptor, -1
        close_ours(descriptor, self.identity)

    @property
    def is_open(self) -> bool:
        """Whether its descriptor was not closed: the number may be that of another file."""
        return self._descriptor >= 0 and identity(self._descriptor) == self.identity

    def _fill(self, size: int) -> bool:
        """Have so many bytes from the position on in the buffer, if there are so many."""
        while (buffered := len(self._buffer) - self._at) < size:
            reached = self.position + buffered
            wanted = min(max(CHUNK, size - buffered), self._end - reached)
            chunk = b"" if wanted < size - buffered else os.pread(self._descriptor, wanted, reached)
            if not chunk:  # the end, or it was cut
                return False
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0
        return True

    def _next(self, damaged: list[Damage], *, complete: bool) -> bytes | None:
        while True:
            payload = self._sound()
            if payload is not None:
                break
            if not self._fill(1) or (not complete and self._may_grow()):
                break
            self._note(self._take(1))
            self._skip_to_mark(self._note)
        if self._damaged_size:
            damaged.append(Damage(self._damaged_size, bytes(self._damaged)))
            self._damaged_size = 0
            self._damaged.clear()
        return payload

    def _note(self, damage: bytes) -> None:
        self._damaged_size += len(damage)
        self._damaged += damage[: MAX_DAMAGE - len(self._damaged)]

    def _sound(self) -> bytes | None:
        """Return the payload of the sound record at the position, and go behind it; or None."""
        if not self._fill(RECORD.size):
            return None
        mark, length, checksum = RECORD.unpack_from(self._buffer, self._at)
        size: int = RECORD.size + length
        if mark != MARK or length > MAX_RECORD or not self._fill(size):
            return None
        payload = self._buffer[self._at + RECORD.size : self._at + size]
        if crc32(payload) != checksum:
            return None
        self._skip(size)
        return payload

    def _may_grow(self) -> bool:
        """Return whether the bytes at the position may be the beginning of a record."""
        header = self._buffer[self._at : self._at + RECORD.size]
        if len(header) < RECORD.size:
            return header.startswith(MARK) or MARK.startswith(header)
        mark, length, _ = RECORD.unpack(header)
        whole = RECORD.size + length
        return bool(mark == MARK and length <= MAX_RECORD and not self._fill(whole))

    def _skip_to_mark(self, note: Callable[[bytes], object] = bool) -> None:
        """Skip to the next mark, or the end, noting what is skipped."""
        while True:
            at = self._buffer.find(MARK, self._at)
            if at >= 0:
                note(self._take(at - self._at))
                return
            # A mark may begin in the last bytes that are there.
            note(self._take(max(0, len(self._buffer) - self._at - len(MARK) + 1)))
            if not self._fill(len(self._buffer) - self._at + 1):
                note(self._take(len(self._buffer) - self._at))
                return

    def _take(self, size: int) -> bytes:
        taken = self._buffer[self._at : self._at + size]
        self._skip(size)
        return taken

    def _skip(self, size: int) -> None:
        self._at += size
        self.position += size
