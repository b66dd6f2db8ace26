"""Translate the errors of PostgreSQL into the framework's.

Their own texts contain values and addresses, so ours name only a code.
"""

from __future__ import annotations

from typing import Final

from psycopg import Error, OperationalError

from eventtracking_core import EventTrackingError, RejectedError, RetryableError

__all__ = ["failure", "is_missing"]

UNDEFINED_TABLE: Final = "42P01"

_OF_THE_EVENTS: Final = ("22", "23", "54")
"""Classes of SQLSTATE: data exception, violated constraint, exceeded limit."""

_HINTS: Final = {
    "28": "check user and password",
    "3D": "the database does not exist",
    "42": "check the user's rights and the columns of the table",
    "53": "the server lacks disk, memory or connections",
    "57": "the server is ending, or the statement took too long",
}


def failure(error: Error) -> EventTrackingError:
    """Return the framework's error for one of psycopg's."""
    code = error.sqlstate
    if code is None:
        kind = type(error).__name__
        if isinstance(error, OperationalError):
            return RetryableError(f"PostgreSQL: the connection failed, or took too long ({kind})")
        return RetryableError(f"PostgreSQL: {kind}")
    if code.startswith(_OF_THE_EVENTS):
        return RejectedError(f"PostgreSQL rejects an event (SQLSTATE {code})")
    hint = _HINTS.get(code[:2])
    return RetryableError(f"PostgreSQL: SQLSTATE {code}{f'; {hint}' if hint else ''}")


def is_missing(error: Error) -> bool:
    """Return whether a table does not exist."""
    return error.sqlstate == UNDEFINED_TABLE
