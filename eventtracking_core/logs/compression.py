"""Decompress files piece by piece, and keep everything that came before damage."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from eventtracking_core.errors import EventTrackingError

__all__ = ["Decompressed", "UnreadableInputError", "decompressed", "refuse_archive"]

LONGEST_MAGIC: Final = 6


class UnreadableInputError(EventTrackingError):
    """A file is damaged, cut off, or of a format that is not read; the message says which."""


class _Decompressor(Protocol):
    """Decompresses one member of a file; the interface that zlib, bz2, lzma and zstandard share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Format(NamedTuple):
    magic: bytes
    name: str
    module: str
    create: Callable[[Any], _Decompressor]
    step: int
    """Bytes decompressed at a time, so that a small file cannot fill the memory."""


_FORMATS: Final = (
    _Format(b"\x1f\x8b", "gzip", "zlib", lambda _: zlib.decompressobj(31), 1 << 14),
    _Format(b"BZh", "bzip2", "bz2", lambda bz2: bz2.BZ2Decompressor(), 1 << 10),
    _Format(b"\xfd7zXZ\0", "xz", "lzma", lambda lzma: lzma.LZMADecompressor(), 1 << 10),
    _Format(
        b"(\xb5/\xfd",
        "zstd",
        "zstandard",
        lambda zstd: zstd.ZstdDecompressor().decompressobj(),
        1 << 10,
    ),
)
_REFUSED: Final = (
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a rar archive: unpack it first"),
    (b"\x04\x22\x4d\x18", "compressed with lz4: decompress it first (lz4 -d)"),
    (b"LZIP", "compressed with lzip: decompress it first (lzip -d)"),
    (b"\x5d\x00\x00", "compressed with lzma: decompress it first (xz -d)"),
    (b"\x1f\x9d", "compressed with compress: decompress it first (uncompress)"),
    (b"\xff\x06\x00\x00sN", "compressed with snappy: decompress it first"),
    (b"PAR1", "a Parquet file: export it as NDJSON first"),
    (b"SQLite", "an SQLite database: its events are stored already"),
    (b"\xff\xfe", "UTF-16 text: convert it to UTF-8 first"),
    (b"\xfe\xff", "UTF-16 text: convert it to UTF-8 first"),
)
_TAR: Final = (257, b"ustar")


class Decompressed(io.RawIOBase):
    """The content of a compressed file, of all its members one after the other.

    Args:
        raw: the file.
        create: makes a decompressor of one member.
        step: bytes decompressed at a time.
    """

    def __init__(self, raw: BinaryIO, create: Callable[[], _Decompressor], step: int) -> None:
        self._raw = raw
        self._create = create
        self._step = step
        self._member = create()
        self._has_begun = False
        self._ready = memoryview(b"")
        self.is_damaged = False
        """Whether the file ended too early or its content is damaged; told at the end."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; damage ends the content, and what came before it is returned first."""
        while not self._ready and not self.is_damaged:
            piece = self._next_piece()
            if not piece:
                self.is_damaged = self._has_begun
                break
            self._ready = memoryview(self._decompress(piece))
        length = min(len(buffer), len(self._ready))
        buffer[:length] = self._ready[:length]
        self._ready = self._ready[length:]
        return length

    def _next_piece(self) -> bytes:
        if not self._member.eof:
            return self._raw.read(self._step)
        rest = self._member.unused_data
        self._member, self._has_begun = self._create(), False
        # Members may be padded with NULs, as tapes and some tools do.
        while not (rest := rest.lstrip(b"\0")):
            rest = self._raw.read(self._step)
            if not rest:
                break
        return rest

    def _decompress(self, piece: bytes) -> bytes:
        self._has_begun = True
        copy = getattr(self._member, "copy", None)
        before = copy() if copy is not None else None
        try:
            content = self._member.decompress(piece)
        except Exception:  # noqa: BLE001  each library has an error of its own
            self.is_damaged = True
            return b"" if before is None else _until_damage(before, piece)
        self._has_begun = not self._member.eof
        return content


def _until_damage(member: _Decompressor, piece: bytes) -> bytes:
    content = bytearray()
    with suppress(Exception):
        for start in range(len(piece)):
            content += member.decompress(piece[start : start + 1])
    return bytes(content)


def decompressed(raw: BinaryIO) -> Decompressed | None:
    """Return the content of a file that is compressed; None where it is not.

    Raises:
        UnreadableInputError: it is of a format that is not read.
    """
    start = raw.peek(LONGEST_MAGIC) if isinstance(raw, io.BufferedReader) else b""
    refuse_archive(start)
    for compression in _FORMATS:
        if start.startswith(compression.magic):
            return Decompressed(raw, _creator(compression), compression.step)
    return None


def refuse_archive(start: bytes) -> None:
    """Raise an `UnreadableInputError` where a file that begins so is an archive."""
    at, magic = _TAR
    if start[at:].startswith(magic):
        raise UnreadableInputError("the file is a tar archive: unpack it first")
    for magic, reason in _REFUSED:
        if start.startswith(magic):
            raise UnreadableInputError(f"the file is {reason}")


def _creator(compression: _Format) -> Callable[[], _Decompressor]:
    try:
        module = import_module(compression.module)
    except ImportError as error:
        fix = "use a Python that was built with it"
        if compression.name == "zstd":
            fix = "pip install 'eventtracking-cli[zstd]'"
        message = f"the file is compressed with {compression.name}: {fix} to read it"
        raise UnreadableInputError(message) from error
    return lambda: compression.create(module)
