"""A log as a source: its events, and the records that it documents itself with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from eventtracking_catalog.collecting import Collection
from eventtracking_core.logs import STDIN, LogFiles, Rejected
from eventtracking_core.registry import EventType

__all__ = ["Log"]


class Log:
    """A file of events, a line each.

    Args:
        path: the file, `-` for the standard input; it may be compressed.
        report: called now and then with the path and how many bytes of it have been read.
    """

    def __init__(self, path: Path, report: Callable[[Path, int], object] | None = None) -> None:
        self._files = LogFiles([path], report)
        self._counts: Counter[str] = Counter()
        self.title = "the standard input" if path == STDIN else path.name

    def collect(self, into: Collection) -> None:
        """Read all of it.

        Raises:
            UnreadableInputError: it is compressed, and damaged.
            OSError: it cannot be read.
        """
        self._counts.clear()
        for entry in self._files.entries():
            if isinstance(entry, Rejected):
                into.rejected += 1
            elif isinstance(entry, EventType):
                into.record(entry)
            else:
                into.event(entry)
                self._counts[entry["name"]] += 1

    def counts(self) -> Mapping[str, int]:
        """Return how many events there are by now; lines that were added since are read."""
        for entry in self._files.added():
            if not isinstance(entry, Rejected | EventType):
                self._counts[entry["name"]] += 1
        return self._counts
