"""Rows into the table: all at once, or one by one if some cannot be stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping

from eventtracking_sqlite._errors import failure
from eventtracking_sqlite._rows import INSERT, Row

__all__ = ["insert_rows", "never"]


def never() -> None:
    """Go on, whatever waits."""


def insert_rows(
    connection: sqlite3.Connection, rows: Mapping[int, Row], yields: Callable[[], None]
) -> dict[int, Exception]:
    """Insert rows; return the errors of those that cannot be stored.

    Args:
        connection: in a transaction.
        rows: by any numbers.
        yields: called before each row, so that a fork can go first.
    """
    try:
        connection.executemany(INSERT, _each(rows.values(), yields))
    except (sqlite3.IntegrityError, sqlite3.DataError):
        return _insert_one_by_one(connection, rows, yields)
    return {}


def _each(rows: Iterable[Row], yields: Callable[[], None]) -> Iterator[Row]:
    for stored in rows:
        yields()
        yield stored


def _insert_one_by_one(
    connection: sqlite3.Connection, rows: Mapping[int, Row], yields: Callable[[], None]
) -> dict[int, Exception]:
    failures: dict[int, Exception] = {}
    for index, stored in rows.items():
        yields()
        try:
            connection.execute(INSERT, stored)
        except (sqlite3.IntegrityError, sqlite3.DataError) as error:
            failures[index] = failure(error)
    return failures
