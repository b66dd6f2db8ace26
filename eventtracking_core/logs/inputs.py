"""The lines of files, compressed or not, each line bounded."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from eventtracking_core.logs.compression import (
    UnreadableInputError,
    decompressed,
    refuse_archive,
)

__all__ = ["MAX_LINE", "STDIN", "Line", "Source", "opened"]

STDIN: Final = Path("-")
MAX_LINE: Final = 1 << 24
"""Bytes of the longest line that is read as an event: more than the longest that is written."""

_BUFFER: Final = 1 << 18
_NUL: Final = b"\0"


class Line(NamedTuple):
    """A line as it was read; of one that is too long, its beginning."""

    number: int
    content: bytes
    too_long: bool


class Source:
    """An input that is being read.

    Args:
        path: its name, `-` for the standard input.
        raw: the file itself, whose position is the progress.

    Raises:
        UnreadableInputError: it is of a format that is not read, or whose package is missing.
    """

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self.path = path
        self._raw = raw
        self._is_pipe = not raw.seekable()
        self._content = decompressed(raw)
        self._end = sys.maxsize
        self._stream = raw
        if self._content is not None:
            buffered = io.BufferedReader(self._content, _BUFFER)
            refuse_archive(buffered.peek(_BUFFER))
            self._stream = buffered
        elif not self._is_pipe:
            self._end = os.fstat(raw.fileno()).st_size or sys.maxsize

    @property
    def position(self) -> int:
        """How many bytes of the file have been read; 0 if it is unknown."""
        return 0 if self._is_pipe else self._raw.tell()

    def would_wait(self) -> bool:
        """Return whether a pipe has nothing to read now; more may come at any time, or never."""
        if not self._is_pipe:
            return False
        try:
            return not select.select([self._raw], [], [], 0)[0]
        except (OSError, ValueError):  # the system tells it of sockets only
            return True

    def lines(self) -> Iterator[Line]:
        """Yield the lines that the file had when it was opened.

        NULs, which crashes and rotation leave behind, part lines too.

        Raises:
            UnreadableInputError: the file is compressed, and damaged or cut off; all whole lines
                before the damage have been yielded.
        """
        number, position = 0, self.position
        compressed = self._content is not None
        # What was added after the file was opened may be what its reader writes.
        while position < self._end and (content := self._stream.readline(MAX_LINE + 1)):
            if compressed and self._is_damaged and not content.endswith(b"\n"):
                break
            number += 1
            if len(content) <= MAX_LINE and 0 not in content:  # a number is found ten times as fast
                yield Line(number, content, too_long=False)
                position += len(content)
            else:
                yield from self._parts(number, content)
                position = self.position
        if self._is_damaged:
            raise UnreadableInputError(
                f"{self.path}: the compressed file is damaged or cut off after line {number}"
            )

    @property
    def _is_damaged(self) -> bool:
        return self._content is not None and self._content.is_damaged

    def _parts(self, number: int, content: bytes) -> Iterator[Line]:
        """Yield the parts of a line that has NULs in it or is too long."""
        while content:
            part, nul, content = content.partition(_NUL)
            is_whole = bool(nul) or part.endswith(b"\n") or len(part) <= MAX_LINE
            if part:
                yield Line(number, part, too_long=not is_whole)
            if not is_whole:
                self._skip_line()
                return
            content = self._without_hole(content)

    def _without_hole(self, content: bytes) -> bytes:
        """Return what follows NULs in a line, which may be more of them than a line may be long."""
        content = content.lstrip(_NUL)
        while not content.endswith(b"\n") and len(content) <= MAX_LINE:
            more = self._stream.readline(MAX_LINE + 1 - len(content))
            if not more:
                break
            content = (content + more).lstrip(_NUL)
        return content

    def _skip_line(self) -> None:
        while (rest := self._stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open an input; its first bytes show how it is compressed.

    Raises:
        UnreadableInputError: it is of a format that is not read, or whose package is missing.
        OSError: it cannot be opened.
    """
    if path == STDIN:
        yield _source(path, sys.stdin.buffer)
        return
    with path.open("rb", buffering=_BUFFER) as raw:
        yield _source(path, raw)


def _source(path: Path, raw: BinaryIO) -> Source:
    try:
        return Source(path, raw)
    except UnreadableInputError as error:
        raise UnreadableInputError(f"{path}: {error}") from error
