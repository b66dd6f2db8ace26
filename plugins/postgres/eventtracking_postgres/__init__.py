"""Store events in PostgreSQL, and query them."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_postgres.backend import PostgresBackend

__all__ = ["PostgresBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[PostgresBackend]]:
    """Return the type `postgres`."""
    return {"postgres": PostgresBackend}


@hookimpl
def eventtracking_metadata_stores() -> Mapping[str, type[PostgresBackend]]:
    """Return the type `postgres`: the database also stores event-type records."""
    return {"postgres": PostgresBackend}
