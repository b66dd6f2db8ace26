"""What a log holds, entry by entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from eventtracking_core.logs.inputs import MAX_LINE, Line, opened
from eventtracking_core.logs.joining import joined
from eventtracking_core.logs.lines import Entry, Rejected, parse_line

__all__ = ["entries", "entries_of"]


def entries(path: Path) -> Iterator[tuple[int, Entry]]:
    """Yield what the lines of a file are, each with its number, without the empty ones.

    Args:
        path: the file, `-` for the standard input; it may be compressed.

    Raises:
        UnreadableInputError: the file is compressed and damaged, or of a format that is not read.
        OSError: it cannot be read.
    """
    with opened(path) as source:
        for line, entry in entries_of(source.lines()):
            yield line.number, entry


def entries_of(lines: Iterable[Line]) -> Iterator[tuple[Line, Entry]]:
    """Yield what lines are, each with the line it stands in."""
    for line in joined(lines):
        if line.too_long:
            yield line, Rejected(f"longer than {MAX_LINE:,} bytes")
            continue
        for entry in parse_line(line.content):
            yield line, entry
