"""A log as a source: its events, and the records that it documents itself with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from eventtracking_catalog.collecting import Collection
from eventtracking_core.logs import MAX_LINE, STDIN, Line, Rejected, entries, entries_of
from eventtracking_core.registry import EventType

__all__ = ["Log"]

_AT_ONCE: Final = 2 * MAX_LINE
"""Bytes of new lines that are read at a time."""


class Log:
    """A file of events, a line each.

    Args:
        path: the file, `-` for the standard input; it may be compressed with gzip or zstd.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: Counter[str] = Counter()
        self._read = 0
        self.title = "the standard input" if path == STDIN else path.name

    def collect(self, into: Collection) -> None:
        """Read all of it.

        Raises:
            UnreadableInputError: it is compressed, and damaged.
            OSError: it cannot be read.
        """
        self._counts.clear()
        self._read = 0 if self._path == STDIN else self._path.stat().st_size
        for _, entry in entries(self._path):
            if isinstance(entry, Rejected):
                into.rejected += 1
            elif isinstance(entry, EventType):
                into.record(entry)
            else:
                into.event(entry)
                self._counts[entry["name"]] += 1

    def counts(self) -> Mapping[str, int]:
        """Return how many events there are by now; lines that were added since are read."""
        if self._path != STDIN:
            self._read_on()
        return self._counts

    def _read_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read(_AT_ONCE)
        complete = new[: new.rfind(b"\n") + 1]
        if not complete and len(new) == _AT_ONCE:
            complete = new  # the middle of a line that is too long for an event
        self._read += len(complete)
        lines = (Line(0, line, too_long=False) for line in complete.splitlines(keepends=True))
        for _, entry in entries_of(lines):
            if not isinstance(entry, Rejected | EventType):
                self._counts[entry["name"]] += 1
