"""The store whose events are looked at: whatever backend can be queried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypedDict, cast

import click

from eventtracking_core import Event
from eventtracking_core.config import build, read
from eventtracking_core.plugins import plugins

__all__ = ["EventStore", "Filters", "opened"]

SHUTDOWN_TIMEOUT = 5.0


class Filters(TypedDict):
    """Which events: all of these hold, None for any."""

    name: str | None
    """A glob: `edx.video.*`."""
    since: datetime | None
    until: datetime | None
    user: str | None


class EventStore(Protocol):
    """A backend that can say which events it has."""

    def query(
        self,
        *,
        name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        user: str | None = None,
        after: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Event]:
        """Yield events in the order of their times.

        With `after`, an id or `""`: those that were stored after it, in the order of storing.
        """

    def count(
        self,
        *,
        name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        user: str | None = None,
    ) -> int:
        """Return how many events there are."""

    def count_by_name(
        self,
        *,
        name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        user: str | None = None,
        limit: int | None = None,
    ) -> list[tuple[str, int]]:
        """Return how many events there are of each name, most frequent first."""

    def count_by_minute(
        self,
        *,
        name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        user: str | None = None,
    ) -> list[tuple[datetime, int]]:
        """Return how many events there are in each minute that has any."""

    def get(self, event_id: str, /) -> Event | None:
        """Return an event by its id."""


@contextmanager
def opened(database: Path | None, config: Path | None) -> Iterator[EventStore]:
    """Find the store, and close it in the end.

    Args:
        database: an SQLite database; without one, the configuration's first backend that can be
            queried.
        config: a configuration's file; the default one without.

    Raises:
        ConfigurationError: the configuration cannot be used.
        ClickException: it has no such backend.
        PluginError: the plugin for SQLite is not installed.
    """
    if database is not None:
        store = plugins.find("backend", "sqlite")(path=str(database))
    else:
        store = _configured(config)
    try:
        yield cast("EventStore", store)
    finally:
        shutdown = getattr(store, "shutdown", None)
        if callable(shutdown):
            shutdown(SHUTDOWN_TIMEOUT)


def _configured(config: Path | None) -> object:
    for leaf in build(read(config)).root.leaves():
        if callable(getattr(leaf.backend, "query", None)):
            return leaf.backend
    message = "no backend of the configuration can be queried: add one of type sqlite, or use --db"
    raise click.ClickException(message)
