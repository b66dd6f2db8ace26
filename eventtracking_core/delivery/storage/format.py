"""The format of files of records, in which every torn or damaged byte is noticed.

A file is a header (magic; how far it is acknowledged, with a CRC-32 of that) and records: a mark,
the payload's length and CRC-32, the payload.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from eventtracking_core.delivery.storage.disk import DISK, write_whole
from eventtracking_core.delivery.storage.files import create_private

__all__ = [
    "FAMILY", "HEADER_SIZE", "MAGIC", "MARK", "MAX_RECORD", "RECORD", "SUFFIX", "acknowledged",
    "acknowledgement", "create", "frame", "has_our_format",
]  # fmt: skip

SUFFIX: Final = ".seg"
FAMILY: Final = b"etspool"
MAGIC: Final = FAMILY + b"1"
MARK: Final = b"\xe7\x7e\x11\x0a"
_POSITION: Final = Struct("<Q")
_ACKED: Final = Struct("<QI")
RECORD: Final = Struct("<4sII")
HEADER_SIZE: Final = len(MAGIC) + _ACKED.size
MAX_RECORD: Final = 1 << 26

_framed: Final = RECORD.pack
_last: tuple[bytes | None, bytes] = (None, b"")
"""The last payload, and its record."""


def create(path: Path) -> int:
    """Create a segment that must not be there yet; return its descriptor, to write and to read.

    Raises:
        OSError: it cannot be created.
    """
    descriptor = create_private(path)
    try:
        write_whole(DISK.write, descriptor, MAGIC + acknowledgement(HEADER_SIZE), 0)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def has_our_format(descriptor: int) -> bool:
    """Return whether a file has a header of this version."""
    return os.pread(descriptor, len(MAGIC), 0) == MAGIC


def frame(payload: bytes) -> bytes:
    """Return a record: what is appended to a segment, in one write."""
    global _last  # noqa: PLW0603  most often, the next spool appends the same event
    last, record = _last
    if payload is not last:
        record = _framed(MARK, len(payload), crc32(payload)) + payload
        _last = payload, record
    return record


def acknowledged(header: bytes) -> int:
    """Return the position up to which a segment is acknowledged, by its header."""
    if len(header) == HEADER_SIZE and header.startswith(MAGIC):
        position: int = _POSITION.unpack_from(header, len(MAGIC))[0]
        if header.endswith(acknowledgement(position)) and position >= HEADER_SIZE:
            return position
    return HEADER_SIZE  # what is delivered twice has the same id; what is skipped is lost


def acknowledgement(position: int) -> bytes:
    """Return what follows the magic in a header: a position, with its checksum."""
    return _ACKED.pack(position, crc32(_POSITION.pack(position)))
