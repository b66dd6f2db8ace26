"""The database file: its schema, and how to open it for writing and for reading."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Literal
from uuid import uuid4

from eventtracking_core import RetryableError
from eventtracking_core.files.descriptors import descriptor_of

__all__ = ["SCHEMA_VERSION", "Synchronous", "open_for_reading", "open_for_writing"]

Synchronous = Literal["normal", "full"]

SCHEMA_VERSION: Final = 1
"""The value of `PRAGMA user_version`."""

APPLICATION_ID: Final = 0x65766E74
"""The value of `PRAGMA application_id`, which identifies the file's format: `evnt` in ASCII."""

_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

_WITHOUT_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems that have no hard links."""

_SCHEMA: Final = f"""
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
PRAGMA user_version = {SCHEMA_VERSION}
"""

_HAS_TABLES: Final = """
SELECT count(*) = 3 FROM sqlite_master
WHERE type = 'table' AND name IN ('events', 'event_types', 'event_type_fields')
"""


def open_for_writing(
    path: Path,
    *,
    synchronous: Synchronous,
    busy_timeout: float,
    writing: Callable[[], AbstractContextManager[None]],
) -> sqlite3.Connection:
    """Open a store; create what is missing of the file, its directory and its tables.

    Args:
        path: the file; only the owner can read a new file or directory.
        synchronous: the value of `PRAGMA synchronous`.
        busy_timeout: seconds to wait for another connection.
        writing: entered while it writes without waiting for other connections.

    Raises:
        RetryableError: the file is not an event store, or has a newer version.
        OSError: it cannot be created.
        sqlite3.Error: it cannot be opened.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.exists():
        _create(path.resolve())
    connection = _connect(path, "rw", busy_timeout)
    try:
        exists = _has_schema(connection) and _number(connection, _HAS_TABLES)
        _use_wal(connection, monotonic() + busy_timeout, writing)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        if not exists:
            connection.execute("BEGIN IMMEDIATE")
            with writing():
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path, *, busy_timeout: float) -> sqlite3.Connection:
    """Open an existing store.

    Raises:
        FileNotFoundError: there is none.
        RetryableError: the file is not an event store, or has a newer version.
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


def _create(path: Path) -> None:
    """Create an empty file that only its owner reads, unless there is one meanwhile.

    It is made under another name. A process that closes any descriptor of a file loses all its
    locks on it, also those of other connections to the database, and SQLite does not notice: other
    processes would remove the log that is written to.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with descriptor_of(draft, _NEW):
            pass
        with suppress(FileExistsError):
            try:
                path.hardlink_to(draft)
            except OSError as error:
                if error.errno not in _WITHOUT_LINKS:
                    raise
                with descriptor_of(path, _NEW):
                    pass
    finally:
        draft.unlink(missing_ok=True)


def _connect(path: Path, mode: Literal["ro", "rw"], busy_timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def _no_store(path: Path) -> FileNotFoundError:
    text = "there is no event store here yet: its backend creates it with the first event"
    return FileNotFoundError(errno.ENOENT, text, str(path))


def _has_schema(connection: sqlite3.Connection) -> bool:
    """Return whether it is an event store; raise an error if it is another database."""
    with connection:  # one transaction: another process may be creating the tables
        connection.execute("BEGIN")
        application = _number(connection, "PRAGMA application_id")
        version = _number(connection, "PRAGMA user_version")
        tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        raise RetryableError(
            f"the event store has schema version {version}, and this program supports"
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


def _use_wal(
    connection: sqlite3.Connection,
    deadline: float,
    writing: Callable[[], AbstractContextManager[None]],
) -> None:
    # SQLite's busy timeout does not apply here, and another process may be opening the file too.
    while True:
        try:
            with writing():
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= deadline:
                raise
            sleep(0.01)
        else:
            return
