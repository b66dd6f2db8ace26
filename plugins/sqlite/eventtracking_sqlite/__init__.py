"""Keep events in an SQLite database, and find them there."""

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
    """Return the type `sqlite`: a store of events keeps the records of their types as well."""
    return {"sqlite": SqliteBackend}
