"""Files of records, in which every torn or damaged byte is noticed.

A file is a header (magic; how far it is acknowledged, with a CRC-32 of that) and records: a mark,
the payload's length and CRC-32, the payload. After damage the reader goes on at the next mark with
a sound record.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

__all__ = ["HEADER_SIZE", "SUFFIX", "Read", "SegmentReader", "create", "frame"]

SUFFIX: Final = ".seg"
MAGIC: Final = b"etspool1"
MARK: Final = b"\xe7\x7e\x11\x0a"
_POSITION: Final = Struct("<Q")
_ACKED: Final = Struct("<QI")
_RECORD: Final = Struct("<4sII")
HEADER_SIZE: Final = len(MAGIC) + _ACKED.size
CHUNK: Final = 1 << 18
MAX_RECORD: Final = 1 << 26

_framed: Final = _RECORD.pack


def create(path: Path) -> int:
    """Create a segment that must not be there yet; return its descriptor, for appending.

    Raises:
        OSError: it cannot be created.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        _write_header(descriptor)
    except OSError:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def _write_header(descriptor: int) -> None:
    if os.write(descriptor, MAGIC + _acknowledgement(HEADER_SIZE)) != HEADER_SIZE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def frame(payload: bytes) -> bytes:
    """Return a record: what is appended to a segment, in one write."""
    return _framed(MARK, len(payload), crc32(payload)) + payload


class Read(NamedTuple):
    """What a reader found: payloads, each with the position after it, and damaged bytes."""

    records: list[tuple[bytes, int]]
    damaged: list[bytes]


class SegmentReader:
    """Reads one segment from where it is acknowledged, while others may append to it.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._buffer = b""
        self._at = 0
        self._end = self.size()
        self.position = min(self._acknowledged(), max(HEADER_SIZE, self._end))

    def _acknowledged(self) -> int:
        header = os.pread(self._descriptor, HEADER_SIZE, 0)
        if len(header) == HEADER_SIZE and header.startswith(MAGIC):
            position: int = _POSITION.unpack_from(header, len(MAGIC))[0]
            if header.endswith(_acknowledgement(position)) and position >= HEADER_SIZE:
                return position
        return HEADER_SIZE  # what is delivered twice has the same id; what is skipped is lost

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
            complete: nobody is writing before the end, so what remains there is damage.
            end: where to end; the end of the file if not given.
        """
        self._end = self.size() if end is None else end
        found = Read([], [])
        read = 0
        while len(found.records) < max_records and read < max_bytes:
            payload = self._next(found.damaged, complete=complete)
            if payload is None:
                break
            read += len(payload)
            found.records.append((payload, self.position))
        return found

    def acknowledge(self, position: int) -> None:
        """Note that everything before a position is settled, for whoever reads it next.

        Raises:
            OSError: it cannot be noted.
        """
        os.pwrite(self._descriptor, _acknowledgement(position), len(MAGIC))

    def close(self) -> None:
        """Close the file; the reader is done."""
        # Out of sight first: a child forked now must not close a number that is in use again.
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _fill(self, size: int) -> bool:
        """Have so many bytes from the position on in the buffer, if there are so many."""
        while (held := len(self._buffer) - self._at) < size:
            reached = self.position + held
            wanted = min(max(CHUNK, size - held), self._end - reached)
            chunk = b"" if wanted < size - held else os.pread(self._descriptor, wanted, reached)
            if not chunk:  # the end, or it was cut
                return False
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0
        return True

    def _next(self, damaged: list[bytes], *, complete: bool) -> bytes | None:
        while True:
            payload = self._sound()
            if payload is not None:
                return payload
            if not self._fill(1) or (not complete and self._may_grow()):
                return None
            damaged.append(self._resynchronize())

    def _sound(self) -> bytes | None:
        """Return the payload of the sound record at the position, and go behind it; or None."""
        if not self._fill(_RECORD.size):
            return None
        mark, length, checksum = _RECORD.unpack_from(self._buffer, self._at)
        size: int = _RECORD.size + length
        if mark != MARK or length > MAX_RECORD or not self._fill(size):
            return None
        payload = self._buffer[self._at + _RECORD.size : self._at + size]
        if crc32(payload) != checksum:
            return None
        self._skip(size)
        return payload

    def _may_grow(self) -> bool:
        """Tell whether the bytes at the position may be the beginning of a record."""
        held = self._buffer[self._at : self._at + _RECORD.size]
        if len(held) < _RECORD.size:
            return held.startswith(MARK) or MARK.startswith(held)
        mark, length, _ = _RECORD.unpack(held)
        whole = _RECORD.size + length
        return bool(mark == MARK and length <= MAX_RECORD and not self._fill(whole))

    def _resynchronize(self) -> bytes:
        """Skip to the next mark, or the end; return what was skipped."""
        skipped = bytearray(self._take(1))
        while True:
            at = self._buffer.find(MARK, self._at)
            if at >= 0:
                return bytes(skipped + self._take(at - self._at))
            # A mark may begin in the last bytes that are there.
            skipped += self._take(max(0, len(self._buffer) - self._at - len(MARK) + 1))
            if not self._fill(len(self._buffer) - self._at + 1):
                return bytes(skipped + self._take(len(self._buffer) - self._at))

    def _take(self, size: int) -> bytes:
        taken = self._buffer[self._at : self._at + size]
        self._skip(size)
        return taken

    def _skip(self, size: int) -> None:
        self._at += size
        self.position += size


def _acknowledgement(position: int) -> bytes:
    return _ACKED.pack(position, crc32(_POSITION.pack(position)))
