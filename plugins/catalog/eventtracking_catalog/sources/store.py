"""A store as a source: its records, its counts, and its latest events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import click

from eventtracking_catalog.collecting import MAX_NAMES, Collection
from eventtracking_catalog.timeline import Timeline
from eventtracking_core import Event
from eventtracking_core.plugins import plugins
from eventtracking_core.registry import EventType

__all__ = ["EventStore", "Records", "Store", "configured", "database", "server"]

_GLOB: Final = frozenset("*?")

LATEST: Final = 2000
"""Events of a store that are looked at; all of them are counted."""


@runtime_checkable
class MetadataStore(Protocol):
    """What can say which records of event types it has."""

    def load_event_types(self) -> Iterable[EventType]:
        """Return every record."""


@runtime_checkable
class EventStore(Protocol):
    """A backend that can say which events it has."""

    def query(
        self, *, name: str | None = None, newest_first: bool = False, limit: int | None = None
    ) -> Iterator[Event]:
        """Yield events in the order of their times."""

    def count_by_name(self) -> list[tuple[str, int]]:
        """Return how many events there are of each name."""

    def count_by_minute(self, *, name: str | None = None) -> list[tuple[datetime, int]]:
        """Return how many events there are in each minute that has any."""


class Store:
    """A store, opened for as long as it is asked.

    Args:
        title: what it is called on a page.
        backend: the store itself.
    """

    def __init__(self, title: str, backend: EventStore) -> None:
        self.title = title
        self._backend = backend

    def collect(self, into: Collection) -> None:
        """Read its records and counts, and look at its latest events.

        Raises:
            EventTrackingError: it cannot be read.
            OSError: there is none.
        """
        store = self._backend
        if isinstance(store, MetadataStore):
            for record in store.load_event_types():
                into.record(record)
        for name, _ in store.count_by_name()[:MAX_NAMES]:
            into.count(name, _timeline(store, name))
        for event in store.query(newest_first=True, limit=LATEST):
            into.observe(event)

    def counts(self) -> Mapping[str, int]:
        """Return how many events there are by now."""
        return dict(self._backend.count_by_name())


class Records:
    """What keeps records of event types, and no events that can be asked for.

    Args:
        title: what it is called on a page.
        store: a metadata store, or a sink.
    """

    def __init__(self, title: str, store: MetadataStore) -> None:
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


def _timeline(store: EventStore, name: str) -> Timeline:
    if not _GLOB.intersection(name):
        return Timeline.of(store.count_by_minute(name=name))
    # A store takes the name for a pattern.
    events = store.query(name=name)
    return Timeline.of((event["timestamp"], 1) for event in events if event["name"] == name)


def database(path: Path) -> EventStore:
    """Return an SQLite database.

    Raises:
        PluginError: the plugin for SQLite is not installed.
    """
    return _queried(plugins.find("backend", "sqlite")(path=str(path)))


def server(uri: str) -> EventStore:
    """Return a MongoDB collection, `events` of the database that its URI names.

    Raises:
        PluginError: the plugin for MongoDB is not installed.
        ClickException: the installed one cannot be queried.
    """
    return _queried(plugins.find("backend", "mongo")(uri=uri))


def configured(leaves: Iterable[Any]) -> EventStore | None:
    """Return the first backend of a routing tree that can be queried, None where there is none."""
    found = (leaf.backend for leaf in leaves if isinstance(leaf.backend, EventStore))
    return next(found, None)


def _queried(backend: object) -> EventStore:
    if not isinstance(backend, EventStore):
        raise click.ClickException("a backend of this type cannot be queried: upgrade its plugin")
    return backend
