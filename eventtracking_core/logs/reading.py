"""What a log holds, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from eventtracking_core.events import Event
from eventtracking_core.logs.inputs import MAX_LINE, Line, opened
from eventtracking_core.logs.lines import RejectedLineError, parse_line, parse_record
from eventtracking_core.registry import EventType

__all__ = ["Rejected", "entries"]


class Rejected(NamedTuple):
    """A line that is neither an event nor a record."""

    reason: str


def entries(path: Path) -> Iterator[tuple[int, Event | EventType | Rejected]]:
    """Yield what the lines of a file are, each with its number, without the empty ones.

    Args:
        path: the file, `-` for the standard input; it may be compressed with gzip or zstd.

    Raises:
        UnreadableInputError: the file is compressed and damaged, or zstandard is missing.
        OSError: it cannot be read.
    """
    with opened(path) as source:
        for line in source.lines():
            entry = _entry(line)
            if entry is not None:
                yield line.number, entry


def _entry(line: Line) -> Event | EventType | Rejected | None:
    if line.too_long:
        return Rejected(f"longer than {MAX_LINE:,} bytes")
    try:
        return parse_record(line.content) or parse_line(line.content)
    except RejectedLineError as error:
        return Rejected(str(error))
