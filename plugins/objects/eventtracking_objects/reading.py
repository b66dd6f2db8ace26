"""Find events in the objects of a store, and count them, each once."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import heappop, heappush, nlargest, nsmallest
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Final, Unpack
from urllib.parse import unquote, urlsplit

from eventtracking_core import Event, EventType
from eventtracking_core.reading import (
    Filters,
    Period,
    Query,
    field_reader,
    matcher,
    most_frequent,
    per_period,
    value_text,
)
from eventtracking_objects.client import Client
from eventtracking_objects.contents import events_of
from eventtracking_objects.keys import Stored, objects_of_keys
from eventtracking_objects.layout import Layout
from eventtracking_objects.operations import finish
from eventtracking_objects.schemas import load_records

__all__ = ["Reading"]

READ_TIMEOUT: Final = 60.0
"""Maximum seconds of one step of a query."""

AHEAD: Final = 16
"""Objects that are fetched at once."""

_BY_TIME: Final = itemgetter("timestamp", "id")


class Reading:
    """The reading methods of a store: those of `eventtracking_core.reading.EventReader`.

    An event that is in several objects is found once. All methods raise `FileNotFoundError` if the
    store is a directory that is not there, and `EventTrackingError`, with the cause, if the store
    or an object cannot be read.
    """

    _client: Client
    _layout: Layout
    _types_in: str

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events ordered by timestamp, then by id; with `after`, those with higher ids."""
        after, limit = query.get("after"), query.get("limit")
        newest_first = query.get("newest_first", False)
        events = self._events(query, after)
        if after is None:
            if limit is None:
                return iter(sorted(events, key=_BY_TIME, reverse=newest_first))
            best = nlargest if newest_first else nsmallest
            return iter(best(limit, events, key=_BY_TIME))
        if newest_first:
            return islice(reversed(list(events)), limit)
        return islice(events, limit)

    def get(self, event_id: str, /) -> Event | None:
        """Return the event with an id, or None."""
        objects = (each for each in self._objects({}) if each.covers(event_id))
        return next(
            (event for event in _merged(self._client, objects) if event["id"] == event_id), None
        )

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text."""
        return list(islice((event for event in self._events({}) if part in event["id"]), limit))

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events."""
        return sum(1 for _ in self._events(filters))

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first."""
        value = field_reader(field)
        texts = (value_text(value(event)) for event in self._events(filters))
        return most_frequent(texts, limit)

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many."""
        return per_period(self._events(filters), period)

    def load_event_types(self) -> list[EventType]:
        """Return the event-type records, oldest first; none if there is no directory of them."""
        try:
            self._check()
        except FileNotFoundError:
            return []
        return finish(load_records(self._client, self._types_in, READ_TIMEOUT))

    def _events(self, filters: Filters, after: str | None = None) -> Iterator[Event]:
        """Yield the events that pass filters, each once, ordered by id."""
        matches = matcher(filters)  # at once, since it refuses fields
        start = after or ""
        objects = (each for each in self._objects(filters) if not each.last or each.last > start)
        events = filter(matches, _merged(self._client, objects))
        return events if after is None else (event for event in events if event["id"] > after)

    def _objects(self, filters: Filters) -> Iterator[Stored]:
        """Yield the objects that may have events that pass filters."""
        self._check()
        may_have = self._layout.pruned(filters)
        keys = finish(self._client.list_keys(self._layout.root, READ_TIMEOUT))
        return (each for each in objects_of_keys(keys) if may_have(each.directory))

    def _check(self) -> None:
        address = urlsplit(self._client.uri)
        if address.scheme == "file" and not Path(unquote(address.path)).exists():
            raise FileNotFoundError(
                errno.ENOENT, "there is no store here yet: its backend makes it", str(address.path)
            )


def _merged(client: Client, objects: Iterator[Stored]) -> Iterator[Event]:
    """Yield the events of objects, each once, ordered by id.

    An object is decoded when its first event is next, so that few of them are in memory.
    """
    fetched = _fetched(client, sorted(objects))
    following = next(fetched, None)
    heap: list[tuple[str, int, int, Sequence[Event]]] = []
    opened, last = 0, None
    while heap or following is not None:
        while following is not None and (not heap or following[0].first <= heap[0][0]):
            each, data = following
            events = events_of(data, each.suffix)
            if events:
                heappush(heap, (events[0]["id"], opened, 0, events))
                opened += 1
            following = next(fetched, None)
        if not heap:
            break
        event_id, number, index, events = heappop(heap)
        if event_id != last:
            yield events[index]
            last = event_id
        if index + 1 < len(events):
            heappush(heap, (events[index + 1]["id"], number, index + 1, events))


def _fetched(client: Client, objects: Sequence[Stored]) -> Iterator[tuple[Stored, bytes]]:
    for start in range(0, len(objects), AHEAD):
        some = objects[start : start + AHEAD]
        contents = finish(client.read([each.key for each in some], READ_TIMEOUT))
        for each, data in zip(some, contents, strict=True):
            if data is not None:  # it was removed meanwhile
                yield each, data
