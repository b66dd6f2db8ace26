"""Query the events of a store, without writing to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Unpack

from eventtracking_core import Event, EventType
from eventtracking_core.encoding import decode_stored
from eventtracking_core.reading import (
    COLUMNS,
    Filters,
    Period,
    Query,
    checked,
    conditions,
    most_frequent,
    number,
    value_text,
)
from eventtracking_sqlite._database import open_for_reading
from eventtracking_sqlite._errors import translate_errors
from eventtracking_sqlite._event_types import EVENT_TYPES, event_type
from eventtracking_sqlite._rows import timestamp_text

__all__ = ["Reading"]

_STORED_AFTER: Final = """
rowid > coalesce((SELECT rowid FROM events WHERE id <= :after ORDER BY id DESC LIMIT 1), 0)
"""
_VALUE: Final = "json_extract(event, :path, '$.none')"
"""The value of a field in a JSON array: with two paths, SQLite keeps the types of JSON."""

_INT64: Final = range(-(2**63), 2**63)
_decode: Final = json.JSONDecoder().decode
_FIRST: Final = itemgetter(0)

_PERIODS: Final[Mapping[Period, str]] = {
    "minute": "substr(timestamp, 1, 16) || 'Z'",
    "hour": "substr(timestamp, 1, 13) || ':00Z'",
    "day": "substr(timestamp, 1, 10) || 'T00:00Z'",
    "week": "date(substr(timestamp, 1, 10), '-6 days', 'weekday 1') || 'T00:00Z'",
}

_Where = dict[str, dict[str, object]]
"""The parameters of each condition, by its SQL."""


class Reading:
    """The reading methods of a store: those of `eventtracking_core.reading.EventReader`.

    Each call opens the file. All of them raise `FileNotFoundError` if there is no store (they never
    create one), and `RetryableError`, with the cause, if the file cannot be read.
    """

    _path: Path
    _busy_timeout: float

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events ordered by timestamp, then by id; with `after`, those stored after it.

        Querying again with the last id misses none, whatever their timestamps. An unknown id counts
        as the next lower one.
        """
        return map(decode_stored, self.query_json(**query))

    def query_json(self, **query: Unpack[Query]) -> Iterator[bytes]:
        """Yield the JSON of what `query` yields."""
        after, limit = query.get("after"), query.get("limit")
        order = ("timestamp", "id") if after is None else ("rowid",)
        direction = "DESC" if query.get("newest_first") else "ASC"
        ordering = ", ".join(f"{column} {direction}" for column in order)
        where = _where(query)
        if after is not None:
            where[_STORED_AFTER] = {"after": after}
        rows = self._select("CAST(event AS BLOB)", where, f"ORDER BY {ordering}", limit)
        return map(_FIRST, rows)

    def get(self, event_id: str) -> Event | None:
        """Return the event with an id, or None."""
        rows = self._select("event", {"id = :id": {"id": event_id}})
        return next((decode_stored(text) for (text,) in rows), None)

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text."""
        where: _Where = {"instr(id, :part) > 0": {"part": part}}
        return [decode_stored(text) for (text,) in self._select("event", where, limit=limit)]

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events."""
        rows = self._select("count(*)", _where(filters))
        return sum(counted for (counted,) in rows)

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first."""
        column, where = COLUMNS.get(checked(field)), _where(filters)
        if column is not None:
            rest = "GROUP BY value ORDER BY count(*) DESC, value"
            return list(self._select(f"{column} AS value, count(*)", where, rest, limit))
        # Counted here: SQLite would sort all the values to group them, which takes longer.
        texts = Counter(map(_FIRST, self._select(_VALUE, where, path=_path(field))))
        pairs = ",".join([text[1:-1] for text in texts])  # each a value and null
        values = [*map(value_text, _decode(f"[{pairs}]")[::2])]
        counted = dict(zip(values, texts.values(), strict=True))
        if len(counted) < len(values):  # 7 and 7.0 have the same text
            counted = Counter()
            for value, times in zip(values, texts.values(), strict=True):
                counted[value] += times
        return most_frequent(counted, limit)

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many."""
        columns = f"{_PERIODS[period]} AS start, count(*)"
        rows = self._select(columns, _where(filters), "GROUP BY start ORDER BY start")
        return [(datetime.fromisoformat(start), counted) for start, counted in rows]

    def load_event_types(self) -> Iterator[EventType]:
        """Yield the event-type records, oldest first; none if there is no store."""
        if self._path.exists():
            yield from (event_type(text) for (text,) in self._rows(EVENT_TYPES))

    def _select(
        self,
        columns: str,
        where: _Where,
        rest: str = "",
        limit: int | None = None,
        **values: object,
    ) -> Iterator[Any]:
        conditions = " AND ".join(["TRUE", *where])
        statement = f"SELECT {columns} FROM events WHERE {conditions} {rest} LIMIT :limit"  # noqa: S608  all of it stands in this module
        for parameters in where.values():
            values.update(parameters)
        return self._rows(statement, {**values, "limit": -1 if limit is None else limit})

    def _rows(self, statement: str, values: Mapping[str, object] | None = None) -> Iterator[Any]:
        """Yield rows; the connection is open while they are read, and no longer."""
        with (
            translate_errors(),
            closing(open_for_reading(self._path, busy_timeout=self._busy_timeout)) as connection,
        ):
            yield from connection.execute(statement, values or {})


def _where(filters: Filters) -> _Where:
    where: _Where = {}
    name, since, until = filters.get("name"), filters.get("since"), filters.get("until")
    if name is not None:
        where["name GLOB :name"] = {"name": name.replace("[", "[[]")}
    if since is not None:
        where["timestamp >= :since"] = {"since": _time(since)}
    if until is not None:
        where["timestamp < :until"] = {"until": _time(until)}
    for index, (field, text) in enumerate(conditions(filters).items()):
        where.update(_condition(field, text, f"{index}"))
    return where


def _condition(field: str, text: str, index: str) -> _Where:
    """Return the condition that a field has a value; `index` tells its parameters apart."""
    column = COLUMNS.get(field)
    if column is not None:
        sql = f"{column} IS NULL" if text == "null" else f"{column} = :text{index}"
        return {sql: {f"text{index}": text}}
    path, value = f"event, :path{index}", number(text)
    parameters: dict[str, object] = {f"path{index}": _path(field), f"text{index}": text}
    if text == "null":
        return {f"coalesce(json_type({path}), 'null') = :text{index}": parameters}
    if text in ("true", "false"):
        sql = f"(json_type({path}) = :text{index} OR json_extract({path}) = :text{index})"
        return {sql: parameters}
    sql = f"json_extract({path}) = :text{index}"
    if value is not None:
        is_number = f"json_type({path}) IN ('integer', 'real')"
        if isinstance(value, int) and value not in _INT64:  # SQLite reads such a number as a float
            value, is_number = float(value), f"typeof(json_extract({path})) = 'real'"
        parameters[f"number{index}"] = value
        sql = f"({sql} OR ({is_number} AND json_extract({path}) = :number{index}))"
    return {sql: parameters}


def _path(field: str) -> str:
    return "$" + "".join(f'."{part}"' for part in field.split("."))


def _time(value: datetime) -> str:
    return timestamp_text(value if value.tzinfo is None else value.astimezone(UTC))
