"""Join the pieces into which a container's runtime cuts long lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from eventtracking_core.logs.inputs import MAX_LINE, Line

__all__ = ["Pieces"]

_DOCKER: Final = b'{"log":'
_CRI: Final = re.compile(rb"\S{20,40} (stdout|stderr) ([PF])(?::\S*)? ")
"""What containerd and CRI-O put before a line: time, stream, and whether it is a piece."""


class _Piece(msgspec.Struct):
    """A line as Docker keeps it; all but the last piece of a longer one lack the newline."""

    log: str
    stream: str


_decode: Final = msgspec.json.Decoder(_Piece).decode


class Pieces:
    """The lines that have begun in a container's log, and that later pieces of it complete."""

    def __init__(self) -> None:
        self._begun: dict[str, bytes] = {}
        self._last = 0

    def add(self, line: Line) -> Line | None:
        """Return the line that a piece completes, None if it does not; all other lines as they are.

        A line that was cut into pieces has the number of its last one.
        """
        self._last = line.number
        piece = None if line.too_long else _piece(line.content)
        if piece is None:
            return line
        stream, content, is_last = piece
        content = self._begun.pop(stream, b"") + content
        if is_last or len(content) > MAX_LINE:
            return Line(line.number, content, too_long=len(content) > MAX_LINE)
        self._begun[stream] = content
        return None

    def rest(self) -> Iterator[Line]:
        """Yield the lines that no piece has completed."""
        for content in self._begun.values():
            yield Line(self._last, content, too_long=False)


def _piece(content: bytes) -> tuple[str, bytes, bool] | None:
    """Return the stream, the text and whether it ends a line; None where it is no such piece."""
    if content.startswith(_DOCKER):
        try:
            piece = _decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        text = piece.log.encode(errors="surrogatepass")
        return piece.stream, text, text.endswith(b"\n")
    if head := _CRI.match(content):
        return head[1].decode(), content[head.end() :].rstrip(b"\r\n"), head[2] == b"F"
    return None
