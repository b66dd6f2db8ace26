"""The lines of files: plain, gzip or zstd, each line bounded."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from eventtracking_core.errors import EventTrackingError

__all__ = ["MAX_LINE", "STDIN", "Line", "Source", "UnreadableInputError", "opened"]

STDIN: Final = Path("-")
MAX_LINE: Final = 1 << 20
"""Bytes of the longest line that is read as an event."""

_BUFFER: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"

_ZSTD_INPUT: Final = 1024
"""Bytes decompressed at a time: with 128 KiB from each 4 of them, at most 32 MiB of content."""


class UnreadableInputError(EventTrackingError):
    """A file is compressed, and damaged, cut off, or in need of a package; the message says so."""


class Line(NamedTuple):
    """A line as it was read; of one that is too long, its beginning."""

    number: int
    content: bytes
    too_long: bool


class Source:
    """An input that is being read.

    Args:
        path: its name, `-` for the standard input.
        raw: the file itself, by whose position progress is told.
        stream: its content.
    """

    def __init__(self, path: Path, raw: BinaryIO, stream: BinaryIO) -> None:
        self.path = path
        self._raw = raw
        self._stream = stream

    @property
    def position(self) -> int:
        """How many bytes of the file have been read; 0 where it cannot be told."""
        return self._raw.tell() if self._raw.seekable() else 0

    def lines(self) -> Iterator[Line]:
        """Yield the lines.

        Raises:
            UnreadableInputError: the file is compressed, and damaged or cut off.
        """
        number = 0
        try:
            while content := self._stream.readline(MAX_LINE + 1):
                number += 1
                too_long = len(content) > MAX_LINE and not content.endswith(b"\n")
                if too_long:
                    self._skip_line()
                yield Line(number, content, too_long)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self._damaged(number, error)

    def _skip_line(self) -> None:
        while (rest := self._stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass

    def _damaged(self, number: int, error: Exception) -> None:
        raise UnreadableInputError(
            f"{self.path}: the compressed file is damaged or cut off after line {number}"
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open an input; what it is compressed with is told by its first bytes.

    Raises:
        UnreadableInputError: it is compressed with zstd, and zstandard is not installed.
        OSError: it cannot be opened.
    """
    if path == STDIN:
        raw: BinaryIO = sys.stdin.buffer
        yield Source(path, raw, _decompressed(raw))
        return
    with path.open("rb", buffering=_BUFFER) as raw:
        yield Source(path, raw, _decompressed(raw))


def _decompressed(raw: BinaryIO) -> BinaryIO:
    start = raw.peek(4)[:4] if isinstance(raw, io.BufferedReader) else b""
    if start.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER)
    if start == _ZSTD:
        return _zstd(raw)
    return raw


def _zstd(raw: BinaryIO) -> BinaryIO:
    try:
        import zstandard  # noqa: PLC0415  a C library few inputs need
    except ImportError as error:
        message = "the file is compressed with zstd: pip install zstandard to read it"
        raise UnreadableInputError(message) from error

    class _Frames(io.RawIOBase):
        """Reads all frames of a file; one that is damaged or cut off ends as gzip's do."""

        def __init__(self) -> None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            while not self._ready and (content := self._compressed()):
                try:
                    self._ready = self._frame.decompress(content)
                except zstandard.ZstdError as error:
                    raise EOFError from error
            given = self._ready[: len(buffer)]
            self._ready = self._ready[len(given) :]
            buffer[: len(given)] = given
            return len(given)

        def _compressed(self) -> bytes:
            if not self._frame.eof:
                content = raw.read(_ZSTD_INPUT)
                if not content:
                    raise EOFError
                return content
            content = self._frame.unused_data or raw.read(_ZSTD_INPUT)
            self._frame = zstandard.ZstdDecompressor().decompressobj()
            return content

    return io.BufferedReader(_Frames(), _BUFFER)
