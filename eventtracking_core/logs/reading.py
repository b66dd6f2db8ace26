"""Read a log entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from eventtracking_core.logs.inputs import MAX_LINE, Line, opened
from eventtracking_core.logs.joining import Pieces
from eventtracking_core.logs.lines import Entry, Rejected, parse_line
from eventtracking_core.logs.written import decoder

__all__ = ["entries", "entries_of"]


STEP: Final = 1000
"""Entries between two reports."""


def entries(
    path: Path,
    report: Callable[[Path, int], object] | None = None,
    fields: Collection[str] | None = None,
) -> Iterator[tuple[int, Entry]]:
    """Yield what the lines of a file are, each with its number, without the empty ones.

    Args:
        path: the file, `-` for the standard input; it may be compressed.
        report: called now and then with the path and how many bytes of the file have been read.
        fields: the dotted fields of context and data that are needed; events may lack the others.

    Raises:
        UnreadableInputError: the file is compressed and damaged, or of a format that is not read.
        OSError: it cannot be read.
    """
    with opened(path) as source:
        for number, (line, entry) in enumerate(entries_of(source.lines(), fields), start=1):
            if report is not None and number % STEP == 0:
                report(path, source.position)
            yield line.number, entry


def entries_of(
    lines: Iterable[Line], fields: Collection[str] | None = None
) -> Iterator[tuple[Line, Entry]]:
    """Yield what lines are, each with the line it stands in; `fields` as for `entries`."""
    decoded = decoder(fields)
    pieces = Pieces()
    for line in lines:
        if not line.too_long and (event := decoded(line.content)) is not None:
            yield line, event
        elif (whole := pieces.add(line)) is not None:
            yield from _parsed(whole)
    for line in pieces.rest():
        yield from _parsed(line)


def _parsed(line: Line) -> Iterator[tuple[Line, Entry]]:
    if line.too_long:
        yield line, Rejected(f"longer than {MAX_LINE:,} bytes")
        return
    for entry in parse_line(line.content):
        yield line, entry
