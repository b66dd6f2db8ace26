"""Store events in an SQLite database, and query them."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_sqlite.backend import SqliteBackend

__all__ = ["SqliteBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[SqliteBackend]]:
    """Return the type `sqlite`."""
    return {"sqlite": SqliteBackend}


@hookimpl
def eventtracking_metadata_stores() -> Mapping[str, type[SqliteBackend]]:
    """Return the type `sqlite`: the database also stores event-type records."""
    return {"sqlite": SqliteBackend}
