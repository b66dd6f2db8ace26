"""Find events in the table, and count them."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Unpack

from psycopg import Error
from psycopg.sql import SQL, Composed

from eventtracking_core import Event, EventTrackingError, EventType
from eventtracking_core.encoding import decode_stored
from eventtracking_core.events import as_utc
from eventtracking_core.reading import (
    COLUMNS,
    Filters,
    Period,
    Query,
    checked,
    conditions,
    like_pattern,
    number,
)
from eventtracking_postgres.failures import failure, is_missing
from eventtracking_postgres.rows import LONGEST_USER
from eventtracking_postgres.sessions import Session, Sessions
from eventtracking_postgres.tables import Tables

__all__ = ["READ_TIMEOUT", "Reading"]

READ_TIMEOUT: Final = 60.0
"""Maximum seconds of a query."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds."""

FETCHED: Final = 2000
"""Rows of one fetch."""

_TEXT: Final = """
CASE jsonb_typeof(event #> %(path)s) WHEN 'array' THEN '[…]' WHEN 'object' THEN '{{…}}'
WHEN 'number' THEN trim_scale((event #>> %(path)s)::numeric)::text ELSE event #>> %(path)s END
"""
_STORED_AFTER: Final = """
seq > coalesce((SELECT seq FROM {table} WHERE id <= %(after)s ORDER BY id DESC LIMIT 1), 0)
"""

Where = list[tuple[str, dict[str, object]]]
"""Conditions and their parameters."""


class Reading:
    """The reading methods of a store: those of `eventtracking_core.reading.EventReader`.

    All of them raise `FileNotFoundError` if there is no table of events (they never create one),
    and `RetryableError`, with the cause, if the server cannot be queried.
    """

    _sessions: Sessions
    _tables: Tables

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events ordered by timestamp, then by id; with `after`, those stored after it.

        An unknown id counts as the next lower one.
        """
        after, limit = query.get("after"), query.get("limit")
        direction = "DESC" if query.get("newest_first") else "ASC"
        where = _where(query)
        ordering = f"ORDER BY timestamp {direction}, id {direction}"
        if after is not None:
            where.append((_STORED_AFTER, {"after": after.replace("\0", "\ufffd")}))
            ordering = f"ORDER BY seq {direction}"
        return (
            decode_stored(text) for (text,) in self._select("event::text", where, ordering, limit)
        )

    def get(self, event_id: str, /) -> Event | None:
        """Return the event with an id, or None."""
        return next(self.query(limit=1, where={"id": event_id}), None)

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text."""
        where: Where = [("strpos(id, %(part)s) > 0", {"part": part.replace("\0", "\ufffd")})]
        return [decode_stored(text) for (text,) in self._select("event::text", where, "", limit)]

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events."""
        return sum(counted for (counted,) in self._select("count(*)", _where(filters)))

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first."""
        column = COLUMNS.get(checked(field), _TEXT)
        columns = f'{column} COLLATE "C" AS value, count(*)'
        rest = "GROUP BY 1 ORDER BY count(*) DESC, 1"
        return list(self._select(columns, _where(filters), rest, limit, path=_path(field)))

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many."""
        columns = "date_trunc(%(period)s, timestamp AT TIME ZONE 'UTC') AS start, count(*)"
        rest = "GROUP BY 1 ORDER BY 1"
        rows = self._select(columns, _where(filters), rest, period=period)
        return [(start.replace(tzinfo=UTC), counted) for start, counted in rows]

    def load_event_types(self) -> list[EventType]:
        """Return the event-type records, oldest first; none if there is no table of them."""
        try:
            with self._read() as session:
                return records(session, self._tables)
        except FileNotFoundError:
            return []

    def _select(
        self,
        columns: str,
        where: Where,
        rest: str = "",
        limit: int | None = None,
        **parameters: object,
    ) -> Iterator[Any]:
        clause = " AND ".join(["TRUE", *(condition for condition, _ in where)])
        for _, values in where:
            parameters |= values
        statement = SQL(
            f"SELECT {columns} FROM {{table}} WHERE {clause} {rest} LIMIT %(limit)s"  # noqa: S608  all of it stands in this module
        ).format(table=self._tables.events)
        with self._read() as session:
            yield from _fetched(session, statement, {**parameters, "limit": limit})

    @contextmanager
    def _read(self) -> Iterator[Session]:
        """Yield a connection that cannot write; it is open no longer than it is read from."""
        try:
            with self._sessions.connect(CONNECT_TIMEOUT) as session, session.transaction():
                session.execute("SET TRANSACTION READ ONLY")
                session.execute(f"SET LOCAL statement_timeout = {READ_TIMEOUT * 1000:.0f}")
                yield session
        except Error as error:
            raise _unreadable(error, self._tables) from None


def records(session: Session, tables: Tables, name: str | None = None) -> list[EventType]:
    """Return event-type records, oldest first; those of one event type in the order of storing."""
    condition = "TRUE" if name is None else "kind = 'event' AND name = %(name)s"
    order = "registered_at, seq" if name is None else "seq"
    statement = SQL(
        f"SELECT record::text FROM {{table}} WHERE {condition} ORDER BY {order}"  # noqa: S608  as above
    ).format(table=tables.event_types)
    rows = session.execute(statement, {"name": name}).fetchall()
    return [EventType.from_dict(json.loads(text)) for (text,) in rows]


def _fetched(
    session: Session, statement: Composed, parameters: Mapping[str, object]
) -> Iterator[Any]:
    with session.cursor("eventtracking") as cursor:
        cursor.itersize = FETCHED
        yield from cursor.execute(statement, parameters)


def _unreadable(error: Error, tables: Tables) -> EventTrackingError | FileNotFoundError:
    if is_missing(error):
        text = "there is no table of events here yet: its backend creates it with the first event"
        return FileNotFoundError(errno.ENOENT, text, tables.name)
    return failure(error)


def _where(filters: Filters) -> Where:
    where: Where = []
    name, since, until = filters.get("name"), filters.get("since"), filters.get("until")
    if name is not None:
        text = name.replace("\0", "\ufffd")
        pattern = like_pattern(text)
        condition = "name = %(name)s" if pattern is None else "name LIKE %(name)s"
        where.append((condition, {"name": pattern or text}))
    if since is not None:
        where.append(("timestamp >= %(since)s", {"since": as_utc(since)}))
    if until is not None:
        where.append(("timestamp < %(until)s", {"until": as_utc(until)}))
    for index, (field, text) in enumerate(conditions(filters).items()):
        where.append(_condition(field, text.replace("\0", "\ufffd"), f"{index}"))
    return where


def _condition(field: str, text: str, index: str) -> tuple[str, dict[str, object]]:
    """Return the condition that a field has a value; `index` tells its parameters apart."""
    column = COLUMNS.get(field)
    if column is not None and len(text) <= LONGEST_USER:
        condition = f"{column} IS NULL" if text == "null" else f"{column} = %(text{index})s"
        return condition, {f"text{index}": text}
    values = [json.dumps(value) for value in _values(text)]
    condition = f"coalesce(event #> %(path{index})s, 'null') = ANY(%(values{index})s::jsonb[])"
    return condition, {f"path{index}": _path(field), f"values{index}": values}


def _values(text: str) -> Sequence[object]:
    """Return the values that a text stands for; a missing field counts as null."""
    constants: dict[str, object] = {"true": True, "false": False, "null": None}
    if text in constants:
        return [text, constants[text]]
    value = number(text)
    return [text] if value is None else [text, value]


def _path(field: str) -> list[str]:
    return [part.replace("\0", "\ufffd") for part in field.split(".")]
