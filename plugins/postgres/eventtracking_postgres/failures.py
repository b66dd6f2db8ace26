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

_NOT_NULL: Final = "23502"
_CHECK: Final = "23514"

_HINTS: Final = {
    "23": "the table has columns or partitions that do not suit: compare it with the documentation",
    "25": "the server or the user may only read",
    "28": "check user and password",
    "3D": "the database does not exist",
    "42": "check the user's rights and the columns of the table",
    "53": "the server lacks disk, memory or connections",
    "57": "the server is ending, or the statement took too long",
}

_CONNECTING: Final = {
    "password authentication failed": "the login failed; check user and password",
    "no password supplied": "the server wants a password",
    "no pg_hba.conf entry": "the server refuses this user, database or network (pg_hba.conf)",
    "does not exist": "the login failed; check user and database",
    "Connection refused": "connection refused; check host and port",
    "could not translate host name": "unknown host",
    "failed to resolve host": "unknown host",
    "certificate": "the TLS certificate was not accepted",
    "SSL": "TLS failed; check sslmode",
    "too many": "the server has too many connections",
}
"""What libpq and the server say in English when a connection fails, which has no code."""


def failure(error: Error) -> EventTrackingError:
    """Return the framework's error for one of psycopg's."""
    code = error.sqlstate
    if code is None:
        if isinstance(error, OperationalError):
            return RetryableError(f"PostgreSQL: {_connection_problem(str(error))}")
        return RetryableError(f"PostgreSQL: {type(error).__name__}")
    if code.startswith(_OF_THE_EVENTS) and not _is_of_the_table(error, code):
        return RejectedError(f"PostgreSQL rejects an event (SQLSTATE {code})")
    hint = _HINTS.get(code[:2])
    return RetryableError(f"PostgreSQL: SQLSTATE {code}{f'; {hint}' if hint else ''}")


def _connection_problem(text: str) -> str:
    for phrase, problem in _CONNECTING.items():
        if phrase in text:
            return problem
    return "the connection failed, or took too long"


def _is_of_the_table(error: Error, code: str) -> bool:
    """Return whether no event would suit: a further column, or no partition for the time."""
    return code == _NOT_NULL or (code == _CHECK and error.diag.constraint_name is None)


def is_missing(error: Error) -> bool:
    """Return whether a table does not exist."""
    return error.sqlstate == UNDEFINED_TABLE
