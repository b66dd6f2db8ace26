"""Translate SQLite's errors into the framework's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventtracking_core import EventTrackingError, RejectedError, RetryableError

__all__ = ["failure", "is_broken", "translate_errors"]

_PERMISSIONS: Final = (
    "the database cannot be opened: check the permissions of the file and of its directory,"
    " where SQLite keeps two more files"
)
_MESSAGES: Final = {
    sqlite3.SQLITE_BUSY: "the database is locked: another connection did not finish in time",
    sqlite3.SQLITE_LOCKED: "the database is locked: another connection did not finish in time",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database: move it away, or use another path",
    sqlite3.SQLITE_CORRUPT: "the database is damaged: move it away, and save what can be read with"
    " the command .recover of the program sqlite3",
    sqlite3.SQLITE_CANTOPEN: _PERMISSIONS,
    sqlite3.SQLITE_PERM: _PERMISSIONS,
    sqlite3.SQLITE_READONLY: _PERMISSIONS,
}
_OF_THE_EVENT: Final = (sqlite3.IntegrityError, sqlite3.DataError)
_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})


def failure(error: sqlite3.Error) -> EventTrackingError:
    """Return the framework's error for one of SQLite's, whose own text might contain a value."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if isinstance(error, _OF_THE_EVENT):
        return RejectedError(f"the database rejects the event ({name})")
    return RetryableError(_MESSAGES.get(_kind(error), f"SQLite failed ({name})"))


def is_broken(error: sqlite3.Error) -> bool:
    """Return whether to reopen the connection: the error is neither transient nor the event's."""
    return not isinstance(error, _OF_THE_EVENT) and _kind(error) not in _PASSING


def _kind(error: sqlite3.Error) -> int:
    # The lower byte is the primary error code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise SQLite's errors as the framework's."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error) from error
