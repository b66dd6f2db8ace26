"""A store as a source: its records, its counts, and its latest events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eventtracking_catalog.collecting import MAX_NAMES, Collection
from eventtracking_catalog.timeline import Timeline
from eventtracking_core.reading import EventReader
from eventtracking_core.registry import LoadsEventTypes

__all__ = ["Records", "Store"]

_GLOB: Final = frozenset("*?")

LATEST: Final = 2000
"""Events of a store that are looked at; all of them are counted."""


class Store:
    """A store, opened for as long as it is asked.

    Args:
        title: what it is called on a page.
        backend: the store itself.
    """

    def __init__(self, title: str, backend: EventReader) -> None:
        self.title = title
        self._backend = backend

    def collect(self, into: Collection) -> None:
        """Read its records and counts, and look at its latest events.

        Raises:
            EventTrackingError: it cannot be read.
            OSError: there is none.
        """
        store = self._backend
        if isinstance(store, LoadsEventTypes):
            for record in store.load_event_types():
                into.record(record)
        for name, _ in store.count_by("name", limit=MAX_NAMES):
            if name is not None:
                into.count(name, _timeline(store, name))
        for event in store.query(newest_first=True, limit=LATEST):
            into.observe(event)

    def counts(self) -> Mapping[str, int]:
        """Return how many events there are by now."""
        return {name: n for name, n in self._backend.count_by("name") if name is not None}


class Records:
    """A store of the records of event types whose events cannot be read.

    Args:
        title: what it is called on a page.
        store: a metadata store, or a sink.
    """

    def __init__(self, title: str, store: LoadsEventTypes) -> None:
        self.title = title
        self._store = store

    def collect(self, into: Collection) -> None:
        """Read the records.

        Raises:
            EventTrackingError: they cannot be read.
            OSError: likewise.
        """
        for record in self._store.load_event_types():
            into.record(record)

    def counts(self) -> Mapping[str, int]:
        """Return nothing: it knows of no events."""
        return {}


def _timeline(store: EventReader, name: str) -> Timeline:
    if not _GLOB.intersection(name):
        return Timeline.of(store.count_per("minute", name=name))
    # A store takes the name for a pattern.
    events = store.query(name=name)
    return Timeline.of((event["timestamp"], 1) for event in events if event["name"] == name)
