"""Find events in a collection, and count them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, Unpack, cast

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from eventtracking_core import Event
from eventtracking_core.events import as_utc
from eventtracking_mongo.connection import Connection, Documents
from eventtracking_mongo.failures import explained

__all__ = ["Filters", "Reading"]

READ_TIMEOUT: Final = 60_000
"""Milliseconds that the server may work on a question."""

_MINUTE: Final = "%Y-%m-%dT%H:%MZ"
_WILDCARD: Final = re.compile(r"([*?])")
_MEANING: Final = {"*": ".*", "?": "."}


class Filters(TypedDict, total=False):
    """Which events; what is left out, or None, restricts nothing.

    `name` is a glob, in which `*` stands for any text and `?` for one character. Events at
    `since` are in, those at `until` are out; times without an offset are in UTC. `user` is the
    context's `user_id`, as text.
    """

    name: str | None
    since: datetime | None
    until: datetime | None
    user: str | None


class Reading:
    """The methods of a collection that read.

    All of them raise `RetryableError` where the server cannot be asked; it says why.
    """

    _connection: Connection

    def query(
        self,
        *,
        after: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> Iterator[Event]:
        """Yield events in the order of their timestamps, and of their ids where those are equal.

        Args:
            after: the id of an event: only those with a higher id, in the order of their ids, which
                is that in which they were made.
            newest_first: turn the order around.
            limit: how many, at most.
            filters: which ones, see `Filters`.
        """
        if limit is not None and limit <= 0:
            return
        where = _where(**filters) | ({} if after is None else {"_id": {"$gt": after}})
        direction = DESCENDING if newest_first else ASCENDING
        keys = ("timestamp", "_id") if after is None else ("_id",)
        with self._asked() as collection:
            found = collection.find(where, max_time_ms=READ_TIMEOUT)
            found = found.sort([(key, direction) for key in keys]).limit(limit or 0)
            yield from map(_event, found)

    def get(self, event_id: str) -> Event | None:
        """Return the event with an id, or None."""
        with self._asked() as collection:
            document = collection.find_one({"_id": event_id}, max_time_ms=READ_TIMEOUT)
        return None if document is None else _event(document)

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return how many events there are; see `Filters`."""
        with self._asked() as collection:
            return collection.count_documents(_where(**filters), maxTimeMS=READ_TIMEOUT)

    def count_by_name(
        self, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str, int]]:
        """Return the names of events and how many have them, the most frequent first.

        Args:
            limit: how many names, at most.
            filters: which events, see `Filters`.
        """
        rows = self._grouped("$name", {"count": -1, "_id": 1}, filters)
        return rows if limit is None else rows[:limit]

    def count_by_minute(self, **filters: Unpack[Filters]) -> list[tuple[datetime, int]]:
        """Return the minutes in which there were events, in UTC and in order, and how many."""
        minute = {"$dateToString": {"date": "$timestamp", "format": _MINUTE}}
        rows = self._grouped(minute, {"_id": 1}, filters)
        return [(datetime.fromisoformat(text).astimezone(UTC), number) for text, number in rows]

    def _grouped(
        self, key: object, order: Mapping[str, int], filters: Filters
    ) -> list[tuple[str, int]]:
        stages: list[Mapping[str, Any]] = [
            {"$match": _where(**filters)},
            {"$group": {"_id": key, "count": {"$sum": 1}}},
            {"$sort": order},
        ]
        with self._asked() as collection:
            rows = collection.aggregate(stages, maxTimeMS=READ_TIMEOUT)
            return [(row["_id"], row["count"]) for row in rows]

    @contextmanager
    def _asked(self) -> Iterator[Documents]:
        collection = self._connection.collection()
        try:
            yield collection
        except PyMongoError as error:
            raise explained(error, collection.database.client.topology_description) from None


def _where(
    *,
    name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    user: str | None = None,
) -> dict[str, Any]:
    where: dict[str, Any] = {}
    if name is not None:
        where["name"] = {"$regex": _pattern(name)} if _WILDCARD.search(name) else name
    times = {"$gte": since and as_utc(since), "$lt": until and as_utc(until)}
    if span := {operator: time for operator, time in times.items() if time}:
        where["timestamp"] = span
    if user is not None:
        same: list[Any] = [user]  # as text, as a number of any type, or as an id of MongoDB's own
        if user.isdecimal() and user.isascii():
            same.append(int(user))
        if ObjectId.is_valid(user):
            same.append(ObjectId(user))
        where["context.user_id"] = {"$in": same}
    return where


def _pattern(glob: str) -> str:
    parts = (_MEANING.get(part) or re.escape(part) for part in _WILDCARD.split(glob))
    return rf"(?s)\A{''.join(parts)}\z"


def _event(document: dict[str, Any]) -> Event:
    event = {"id": document.pop("_id"), **document}
    event["timestamp"] = as_utc(event["timestamp"])
    return cast("Event", event)
