"""The database file: its schema, and how it is opened for writing and for reading."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Literal

from eventtracking_core import RetryableError

__all__ = ["SCHEMA_VERSION", "Synchronous", "open_for_reading", "open_for_writing"]

Synchronous = Literal["normal", "full"]

SCHEMA_VERSION: Final = 1
"""Kept in `PRAGMA user_version`."""

APPLICATION_ID: Final = 0x65766E74
"""Kept in `PRAGMA application_id`, which says whose file it is: `evnt` in ASCII."""

_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    user_id TEXT,
    name_id TEXT,
    context_type_id TEXT,
    event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_timestamp ON events (timestamp);
CREATE INDEX IF NOT EXISTS events_by_name ON events (name, timestamp);
CREATE INDEX IF NOT EXISTS events_by_user ON events (user_id, timestamp)
    WHERE user_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS event_types (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    stack_trace TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS event_type_fields (
    event_type_id TEXT NOT NULL REFERENCES event_types (id),
    part TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    type TEXT,
    required INTEGER NOT NULL,
    pii TEXT,
    PRIMARY KEY (event_type_id, part, name)
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


def open_for_writing(
    path: Path, *, synchronous: Synchronous, busy_timeout: float
) -> sqlite3.Connection:
    """Open a store, and make the file, its directory and its tables where they are missing.

    Args:
        path: the file; a new one is readable for its owner alone, and so is a new directory.
        synchronous: how much is on the disk once a commit returns.
        busy_timeout: seconds to wait for another connection.

    Raises:
        RetryableError: the file is no store, or of a newer version.
        OSError: it cannot be made.
        sqlite3.Error: it cannot be opened.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = _connect(path, "rw", busy_timeout)
    try:
        exists = _has_schema(connection)
        _use_wal(connection, monotonic() + busy_timeout)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        if not exists:
            connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path, *, busy_timeout: float) -> sqlite3.Connection:
    """Open a store that is there.

    Raises:
        FileNotFoundError: there is none.
        RetryableError: the file is no store, or of a newer version.
        sqlite3.Error: it cannot be opened.
    """
    if not path.exists():
        raise _no_store(path)
    connection = _connect(path, "ro", busy_timeout)
    try:
        exists = _has_schema(connection)
    except BaseException:
        connection.close()
        raise
    if not exists:
        connection.close()
        raise _no_store(path)
    return connection


def _connect(path: Path, mode: Literal["ro", "rw"], busy_timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def _no_store(path: Path) -> FileNotFoundError:
    text = "there is no event store here yet: its backend makes it with the first event"
    return FileNotFoundError(errno.ENOENT, text, str(path))


def _has_schema(connection: sqlite3.Connection) -> bool:
    """Tell whether there are tables in it; those of somebody else are an error."""
    with connection:  # one transaction: another process may be making the tables
        connection.execute("BEGIN")
        application = _number(connection, "PRAGMA application_id")
        version = _number(connection, "PRAGMA user_version")
        tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        raise RetryableError(
            f"the event store has version {version} of the schema, and this program knows"
            f" {SCHEMA_VERSION}: upgrade eventtracking-sqlite"
        )
    if application == APPLICATION_ID:
        return True
    if application or version or tables:
        raise RetryableError("the database is not an event store: use another path")
    return False


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (value,) = connection.execute(statement).fetchone()
    return int(value)


def _use_wal(connection: sqlite3.Connection, deadline: float) -> None:
    # SQLite does not wait here for a connection that is writing, such as another first opener.
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= deadline:
                raise
            sleep(0.01)
        else:
            return
