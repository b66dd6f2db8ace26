"""Files of events, read as a store: each query reads them again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Final, Unpack

from eventtracking_core.events import Event
from eventtracking_core.logs.inputs import MAX_LINE, STDIN, Line
from eventtracking_core.logs.lines import Entry, Rejected
from eventtracking_core.logs.reading import entries, entries_of
from eventtracking_core.reading import (
    Filters,
    Period,
    Query,
    conditions,
    field_reader,
    matcher,
    most_frequent,
    per_period,
    value_text,
)
from eventtracking_core.registry import EventType

__all__ = ["LogFiles"]

_AT_ONCE: Final = 2 * MAX_LINE
"""Bytes of new lines that are read at a time."""

_BY_TIME: Final = itemgetter("timestamp", "id")


class LogFiles:
    """The events of files: lines of ours, plain ones or edX tracking lines, compressed or not.

    The methods are those of `eventtracking_core.reading.EventReader`. They raise
    `UnreadableInputError` for a file that is damaged or of a format that is not read, and `OSError`
    for one that cannot be opened.

    Args:
        paths: the files, in the order in which they are read; `-` for the standard input, which can
            be read once.
        report: called now and then with a path and how many bytes of the file have been read.
    """

    def __init__(
        self, paths: Sequence[Path], report: Callable[[Path, int], object] | None = None
    ) -> None:
        self.paths = paths
        self._report = report
        self._ends: dict[Path, int] = {}
        """How far each file has been read, for `after`."""
        self.rejected = 0
        """Lines of the last question that were no events."""
        self.accepted = 0
        """Lines of the last question that were events, or records of event types."""

    def entries(self, fields: Collection[str] | None = None) -> Iterator[Entry]:
        """Yield everything that the files hold.

        Args:
            fields: the dotted fields of context and data that are needed; events may lack the
                others. None for all.
        """
        self.rejected = self.accepted = 0
        for path in self.paths:
            self._ends[path] = 0 if path == STDIN else path.stat().st_size
            yield from self._counted(entries(path, self._report, fields))

    def added(self) -> Iterator[Entry]:
        """Yield what was added since the files were last read; nothing to the standard input."""
        for path in self.paths:
            if path != STDIN:
                yield from self._counted(entries_of(self._new_lines(path)))

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events in the order of their lines; see `EventReader.query`.

        With `after`, not empty: only events that were added since the files were last read; empty,
        all of them. `newest_first`: the latest time first; with `after`, the last line first.
        """
        after, limit = query.get("after"), query.get("limit")
        matches = matcher(query)
        events = (event for event in self._events(after) if matches(event))
        if not query.get("newest_first"):
            return islice(events, limit)
        if after is not None:
            return iter(list(deque(events, maxlen=limit))[::-1])
        if limit is None:
            return iter(sorted(events, key=_BY_TIME, reverse=True))
        return iter(nlargest(limit, events, key=_BY_TIME))

    def get(self, event_id: str, /) -> Event | None:
        """Return the event with an id, or None."""
        return next((event for event in self._events(None) if event["id"] == event_id), None)

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text."""
        matching: dict[str, Event] = {}
        for event in self._events(None):
            if part in event["id"]:
                matching[event["id"]] = event
                if len(matching) == limit:
                    break
        return list(matching.values())

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events; an event that stands in the files twice counts twice."""
        return sum(1 for _ in self._matching(filters))

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first."""
        value = field_reader(field)
        texts = (value_text(value(event)) for event in self._matching(filters, field))
        return most_frequent(texts, limit)

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many."""
        return per_period(self._matching(filters), period)

    def load_event_types(self) -> Iterator[EventType]:
        """Yield the records of event types that the files hold."""
        return (entry for entry in self.entries() if isinstance(entry, EventType))

    def _matching(self, filters: Filters, *fields: str) -> Iterator[Event]:
        """Return the events that pass filters; they may lack fields but those that are named."""
        return filter(matcher(filters), self._events(None, {*fields, *conditions(filters)}))

    def _events(self, after: str | None, fields: Collection[str] | None = None) -> Iterator[Event]:
        for entry in self.added() if after else self.entries(fields):
            if not isinstance(entry, Rejected | EventType):
                yield entry

    def _counted(self, entries: Iterator[tuple[object, Entry]]) -> Iterator[Entry]:
        for _, entry in entries:
            if isinstance(entry, Rejected):
                self.rejected += 1
            else:
                self.accepted += 1
            yield entry

    def _new_lines(self, path: Path) -> Iterator[Line]:
        """Yield lines that were added to a file, as far as they are whole."""
        size = path.stat().st_size
        start = self._ends.get(path, 0)
        if size < start:  # the file was truncated, or another one took its place
            start = 0
        with path.open("rb") as file:
            while start < size:
                file.seek(start)
                new = file.read(_AT_ONCE)
                whole = new[: new.rfind(b"\n") + 1]
                if not whole and len(new) == _AT_ONCE:
                    whole = new  # the middle of a line that is too long for an event
                if not whole:
                    break
                start += len(whole)
                for line in whole.splitlines(keepends=True):
                    yield Line(0, line, too_long=False)
        self._ends[path] = start
