"""The schema of the collection: its indexes, its expiry, and whether it is a time series."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any, Final, TypeAlias

from pymongo.errors import OperationFailure

from eventtracking_core.diagnostics import report
from eventtracking_mongo.connection import Documents
from eventtracking_mongo.failures import UNAUTHORIZED, is_login_failure

__all__ = ["INDEXES", "CollectionSchema", "Incarnation", "incarnation"]

INDEXES: Final = ("timestamp", "name", "context.user_id")
"""The fields that events are most often searched by."""

LONGEST_TTL: Final = 2**31 - 1
"""MongoDB's maximum, in seconds."""

TIME: Final = "timestamp"

NAMESPACE_EXISTS: Final = 48
INDEX_OPTIONS_CONFLICT: Final = 85

Incarnation: TypeAlias = tuple[object, ...] | None
"""Identifies a collection among those that had its name; None if there is no collection."""


def incarnation(collection: Documents) -> Incarnation:
    """Return the current incarnation of a collection: it may be dropped and created again.

    Raises:
        PyMongoError: no server answers, or the login fails.
    """
    description = _described(collection)
    return (
        None
        if description is None
        else (description.get("type"), description.get("info", {}).get("uuid"))
    )


def _described(collection: Documents) -> dict[str, Any] | None:
    """Return the server's description of a collection; empty without permission to list."""
    try:
        descriptions = list(collection.database.list_collections(filter={"name": collection.name}))
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        return {}
    return dict(descriptions[0]) if descriptions else None


class CollectionSchema:
    """The intended schema of a collection; creates and indexes it.

    Args:
        indexes: fields to index in ascending order.
        ttl: seconds after its timestamp at which an event is deleted.
        timeseries: the granularity of a time-series collection; None for an ordinary one.

    Raises:
        ValueError: a field's name is invalid, or `ttl` is out of range.
    """

    def __init__(self, indexes: Sequence[str], ttl: float | None, timeseries: str | None) -> None:
        if isinstance(indexes, str) or not all(map(_is_field, indexes)):
            raise ValueError("indexes must be a list of fields, such as context.user_id")
        if ttl is not None and not 1 <= ttl <= LONGEST_TTL:
            raise ValueError(f"ttl must be from 1 to {LONGEST_TTL} seconds")
        self._indexes = tuple(indexes)
        self._ttl = None if ttl is None else int(ttl)
        self._timeseries = timeseries

    @property
    def is_time_series(self) -> bool:
        """Whether the collection is to be a time series."""
        return self._timeseries is not None

    def create(self, collection: Documents) -> None:
        """Create a time-series collection; an ordinary one is created by its first event.

        Raises:
            PyMongoError: no server answers, the login fails, or the collection cannot be created.
        """
        if self._timeseries is None:
            return
        options: dict[str, Any] = {
            "timeseries": {
                "timeField": TIME,
                "metaField": "name",
                "granularity": self._timeseries,
            }
        }
        if self._ttl is not None:
            options["expireAfterSeconds"] = self._ttl
        try:
            collection.database.create_collection(collection.name, check_exists=False, **options)
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:
                raise
            if self._ttl is not None:
                _try("the expiry of events", collection, self._change_timeseries_expiry)
            else:
                _tell_of_timeseries_expiry(collection)

    def index(self, collection: Documents) -> None:
        """Create missing indexes.

        An index or an expiry that the server rejects is logged, and no event is lost.

        Raises:
            PyMongoError: no server answers, the login fails, or the time is up.
        """
        is_expiring = False
        if self._timeseries is None:
            is_expiring = self._ttl is not None or _expires_still(collection)
            if self._ttl is not None:
                _try("the expiry of events", collection, self._expire)
        for field in self._indexes:
            # The index for expiry already indexes the timestamp.
            if field != TIME or not is_expiring:
                _try(f"the index on {field}", collection, methodcaller("create_index", field))

    def _expire(self, collection: Documents) -> None:
        try:
            collection.create_index(TIME, expireAfterSeconds=self._ttl)
        except OperationFailure as error:
            if error.code != INDEX_OPTIONS_CONFLICT:
                raise
            index = {"keyPattern": {TIME: 1}, "expireAfterSeconds": self._ttl}
            collection.database.command("collMod", collection.name, index=index)

    def _change_timeseries_expiry(self, collection: Documents) -> None:
        database = collection.database
        database.command("collMod", collection.name, expireAfterSeconds=self._ttl)


def _expires_still(collection: Documents) -> bool:
    """Return whether an index deletes events by their timestamp; if so, log how to drop it."""
    try:
        indexes = list(collection.list_indexes())
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        return False
    for index in indexes:
        seconds = index.get("expireAfterSeconds")
        if list(index["key"]) == [TIME] and seconds is not None:
            name = index["name"]
            command = f"db.getCollection({collection.name!r}).dropIndex({name!r})"
            _tell_of_expiry(collection, seconds, command)
            return True
    return False


def _tell_of_timeseries_expiry(collection: Documents) -> None:
    options = (_described(collection) or {}).get("options", {})
    seconds = options.get("expireAfterSeconds")
    if seconds is not None:
        change = f"{{collMod: {collection.name!r}, expireAfterSeconds: 'off'}}"
        _tell_of_expiry(collection, seconds, f"db.runCommand({change})")


def _tell_of_expiry(collection: Documents, seconds: float, command: str) -> None:
    # An operator may have set this expiry outside our configuration, so we don't remove it.
    report(
        logging.WARNING,
        (collection.full_name, "expiry"),
        "MongoDB deletes events of the collection %s %d seconds after their timestamp, although the"
        " configuration has no ttl; to stop that, run %s in mongosh",
        collection.name,
        seconds,
        command,
    )


def _is_field(name: object) -> bool:
    return isinstance(name, str) and name != "" and not name.startswith("$") and "\0" not in name


def _try(what: str, collection: Documents, make: Callable[[Documents], None]) -> None:
    try:
        make(collection)
    except OperationFailure as error:
        if is_login_failure(error):
            raise
        report(
            logging.ERROR,
            (collection.full_name, what),
            "MongoDB rejects %s on the collection %s (code %s); events are stored without it",
            what,
            collection.name,
            error.code,
        )
