"""Find events in the table, and count them."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Unpack

from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from eventtracking_clickhouse.clients import Clients
from eventtracking_clickhouse.failures import failure, is_missing
from eventtracking_clickhouse.rows import microseconds
from eventtracking_clickhouse.tables import Tables, literal
from eventtracking_core import Event, EventTrackingError, EventType, RetryableError
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

__all__ = ["READ_TIMEOUT", "Reading"]

READ_TIMEOUT: Final = 60.0
"""Maximum seconds until the next piece of an answer."""

_NUMBERS: Final = "('Int64', 'UInt64', 'Double')"
_TEXT: Final = """multiIf(
JSONType(event, {path}) = 'Null', NULL, JSONType(event, {path}) = 'Array', '[…]',
JSONType(event, {path}) = 'Object', '{{…}}',
JSONType(event, {path}) = 'String', JSONExtractString(event, {path}),
JSONType(event, {path}) = 'Double', toString(JSONExtractFloat(event, {path})),
JSONExtractRaw(event, {path}))"""

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_PERIODS: Final = {
    "minute": (60 * _SECOND, 0),
    "hour": (3600 * _SECOND, 0),
    "day": (_DAY, 0),
    "week": (7 * _DAY, 4 * _DAY),
}
"""Microseconds of each period, and when the first one began after 1970; that was a Thursday."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SETTINGS: Final = {
    "do_not_merge_across_partitions_select_final": 1,  # a repeated event has the same time
    "output_format_json_quote_64bit_integers": 0,
}


class Reading:
    """The reading methods of a store: those of `eventtracking_core.reading.EventReader`.

    All of them raise `FileNotFoundError` if there is no table of events (they never create one),
    and `RetryableError`, with the cause, if the server cannot be queried.
    """

    _clients: Clients
    _tables: Tables

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events ordered by timestamp, then by id; with `after`, those with higher ids."""
        after, limit = query.get("after"), query.get("limit")
        direction = "DESC" if query.get("newest_first") else "ASC"
        where = _where(query)
        ordering = f"ORDER BY timestamp {direction}, id {direction}"
        if after is not None:
            where.append(f"id > {literal(after)}")
            ordering = f"ORDER BY id {direction}"
        return (decode_stored(text) for (text,) in self._select("event", where, ordering, limit))

    def get(self, event_id: str, /) -> Event | None:
        """Return the event with an id, or None."""
        return next(self.query(limit=1, where={"id": event_id}), None)

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text."""
        where = [f"position(id, {literal(part)}) > 0"]
        return [decode_stored(text) for (text,) in self._select("event", where, "", limit)]

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events."""
        return sum(counted for (counted,) in self._select("count()", _where(filters)))

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first."""
        column = COLUMNS.get(checked(field))
        value = _TEXT.format(path=_path(field)) if column is None else f"nullIf({column}, '')"
        rest = "GROUP BY value ORDER BY counted DESC, value"
        rows = self._select(f"{value} AS value, count() AS counted", _where(filters), rest, limit)
        return [(text, counted) for text, counted in rows]

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many."""
        length, first = _PERIODS[period]
        time = "toUnixTimestamp64Micro(timestamp)"
        columns = f"{time} - positiveModulo({time} - {first}, {length}) AS start, count()"
        rows = self._select(columns, _where(filters), "GROUP BY start ORDER BY start")
        return [(_EPOCH + timedelta(microseconds=start), counted) for start, counted in rows]

    def load_event_types(self) -> list[EventType]:
        """Return the event-type records, oldest first; none if there is no table of them."""
        query = f"SELECT record FROM {self._tables.event_types} FINAL"  # noqa: S608  names are checked
        try:
            records = [EventType.from_dict(json.loads(text)) for (text,) in self._rows(query)]
        except FileNotFoundError:
            return []
        return sorted(records, key=lambda record: record.registered_at)

    def _select(
        self, columns: str, where: list[str], rest: str = "", limit: int | None = None
    ) -> Iterator[Any]:
        clause = " AND ".join(["1", *where])
        bound = "" if limit is None else f"LIMIT {limit}"
        query = f"SELECT {columns} FROM {self._tables.events} FINAL WHERE {clause} {rest} {bound}"  # noqa: S608  values are literals
        yield from self._rows(query)

    def _rows(self, query: str) -> Iterator[Any]:
        try:
            for line in self._clients.rows(query, _SETTINGS, READ_TIMEOUT):
                yield _decoded(line)
        except (ClickHouseError, HTTPError, OSError) as error:
            raise _unreadable(error, self._tables) from None


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:  # the status was sent before the error, which is the rest of the answer
        raise RetryableError("ClickHouse: the query failed before its end") from None


def _unreadable(error: Exception, tables: Tables) -> EventTrackingError | FileNotFoundError:
    if is_missing(error):
        text = "there is no such table here yet: see `eventtracking schema --for clickhouse`"
        return FileNotFoundError(errno.ENOENT, text, tables.name)
    return failure(error)


def _where(filters: Filters) -> list[str]:
    where: list[str] = []
    name, since, until = filters.get("name"), filters.get("since"), filters.get("until")
    if name is not None:
        pattern = like_pattern(name)
        operator = "=" if pattern is None else "LIKE"
        where.append(f"name {operator} {literal(pattern or name)}")
    if since is not None:
        where.append(f"timestamp >= {_time(since)}")
    if until is not None:
        where.append(f"timestamp < {_time(until)}")
    where.extend(_condition(field, text) for field, text in conditions(filters).items())
    return where


def _condition(field: str, text: str) -> str:
    column = COLUMNS.get(field)
    if column is not None:
        return f"{column} = {literal('' if text == 'null' else text)}"
    path = _path(field)
    kind = f"JSONType(event, {path})"
    conditions = [f"{kind} = 'String' AND JSONExtractString(event, {path}) = {literal(text)}"]
    value = number(text)
    if text == "null":
        conditions.append(f"{kind} = 'Null'")
    elif text in {"true", "false"}:
        conditions.append(f"{kind} = 'Bool' AND JSONExtractRaw(event, {path}) = '{text}'")
    elif isinstance(value, int):
        raw = f"{kind} != 'Double' AND JSONExtractRaw(event, {path}) = '{value}'"
        conditions.append(f"{kind} IN {_NUMBERS} AND ({raw} OR {_like(path, kind, value)})")
    elif value is not None:
        conditions.append(f"{kind} IN {_NUMBERS} AND JSONExtractFloat(event, {path}) = {value!r}")
    return f"({' OR '.join(f'({each})' for each in conditions)})"


def _like(path: str, kind: str, value: int) -> str:
    """Return the condition that a float equals an integer."""
    return f"{kind} = 'Double' AND JSONExtractFloat(event, {path}) = toFloat64('{value}')"


def _time(moment: datetime) -> str:
    return f"fromUnixTimestamp64Micro({microseconds(as_utc(moment))}, 'UTC')"


def _path(field: str) -> str:
    return ", ".join(literal(part) for part in field.split("."))
