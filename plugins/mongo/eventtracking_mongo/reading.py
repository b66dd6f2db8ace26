"""Find events in a collection, and count them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Unpack, cast

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, timeout
from pymongo.errors import PyMongoError

from eventtracking_core import Event
from eventtracking_core.events import as_utc
from eventtracking_core.reading import (
    Filters,
    Period,
    Query,
    checked,
    conditions,
    glob_pattern,
    number,
)
from eventtracking_mongo.connection import Connection, Documents
from eventtracking_mongo.failures import explain

__all__ = ["Reading"]

READ_TIMEOUT: Final = 60_000
"""Maximum milliseconds of server time per query."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds in which a server must be found before a query."""

_INT64: Final = range(-(2**63), 2**63)
_WILDCARD: Final = re.compile(r"[*?]")
_START: Final[Mapping[Period, str]] = {
    "minute": "%Y-%m-%dT%H:%M:00Z",
    "hour": "%Y-%m-%dT%H:00:00Z",
    "day": "%Y-%m-%dT00:00:00Z",
    "week": "%G-W%V-1",
}


class Reading:
    """The reading methods of a backend: those of `eventtracking_core.reading.EventReader`.

    All of them raise `RetryableError`, with the cause, if the server cannot be queried.
    """

    _connection: Connection

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events ordered by timestamp, then by id; with `after`, those with higher ids."""
        after, limit = query.get("after"), query.get("limit")
        if limit is not None and limit <= 0:
            return
        where = _where(query) | ({} if after is None else {"_id": {"$gt": after}})
        direction = DESCENDING if query.get("newest_first") else ASCENDING
        keys = ("timestamp", "_id") if after is None else ("_id",)
        with self._collection() as collection:
            cursor = collection.find(where, max_time_ms=READ_TIMEOUT)
            cursor = cursor.sort([(key, direction) for key in keys]).limit(limit or 0)
            yield from map(_event, cursor)

    def get(self, event_id: str) -> Event | None:
        """Return the event with an id, or None."""
        with self._collection() as collection:
            document = collection.find_one({"_id": event_id}, max_time_ms=READ_TIMEOUT)
        return None if document is None else _event(document)

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text."""
        where = {"_id": {"$regex": re.escape(part)}}
        with self._collection() as collection:
            cursor = collection.find(where, max_time_ms=READ_TIMEOUT).limit(limit)
            return [_event(document) for document in cursor]

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events."""
        with self._collection() as collection:
            return collection.count_documents(_where(filters), maxTimeMS=READ_TIMEOUT)

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first."""
        rows = self._grouped(_text(f"${_key(checked(field))}"), {"count": -1, "_id": 1}, filters)
        return rows if limit is None else rows[:limit]

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many."""
        start = {"$dateToString": {"date": "$timestamp", "format": _START[period]}}
        rows = self._grouped(start, {"_id": 1}, filters)
        return [(as_utc(datetime.fromisoformat(text)), counted) for text, counted in rows if text]

    def _grouped(
        self, key: object, order: Mapping[str, int], filters: Filters
    ) -> list[tuple[str | None, int]]:
        stages: list[Mapping[str, Any]] = [
            {"$match": _where(filters)},
            {"$group": {"_id": key, "count": {"$sum": 1}}},
            {"$sort": order},
        ]
        with self._collection() as collection:
            rows = collection.aggregate(stages, maxTimeMS=READ_TIMEOUT)
            return [(row["_id"], row["count"]) for row in rows]

    @contextmanager
    def _collection(self) -> Iterator[Documents]:
        collection = self._connection.collection()
        try:
            # Selecting a server may take half a minute, too long for an interactive query.
            with timeout(CONNECT_TIMEOUT):
                collection.database.client.admin.command("ping")
            yield collection
        except PyMongoError as error:
            raise explain(error, collection.database.client.topology_description) from None


def _where(filters: Filters) -> dict[str, Any]:
    where: dict[str, Any] = {}
    name, since, until = filters.get("name"), filters.get("since"), filters.get("until")
    if name is not None:
        pattern = rf"(?s)\A{glob_pattern(name)}\z"
        where["name"] = {"$regex": pattern} if _WILDCARD.search(name) else name
    times = {"$gte": since and as_utc(since), "$lt": until and as_utc(until)}
    if span := {operator: time for operator, time in times.items() if time}:
        where["timestamp"] = span
    fields = [{_key(field): {"$in": _values(text)}} for field, text in conditions(filters).items()]
    return {**where, "$and": fields} if fields else where


def _key(field: str) -> str:
    return "_id" if field == "id" else field


def _values(text: str) -> list[object]:
    """Return the values that a text stands for; a missing field counts as null."""
    constants: dict[str, object] = {"true": True, "false": False, "null": None}
    if text in constants:
        return [text, constants[text]]
    values: list[object] = [text]
    value = number(text)
    if isinstance(value, float) or (value is not None and value in _INT64):
        values.append(value)
    if ObjectId.is_valid(text):  # an id of MongoDB's own
        values.append(ObjectId(text))
    return values


def _text(field: str) -> dict[str, Any]:
    """Return the expression of a field's value as text."""
    kinds = {"array": "[…]", "object": "{…}"}
    branches = [{"case": {"$eq": [{"$type": field}, kind]}, "then": kinds[kind]} for kind in kinds]
    text = {"input": field, "to": "string", "onError": "?", "onNull": None}
    return {"$switch": {"branches": branches, "default": {"$convert": text}}}


def _event(document: dict[str, Any]) -> Event:
    event = {"id": document.pop("_id"), **document}
    event["timestamp"] = as_utc(event["timestamp"])
    return cast("Event", event)
