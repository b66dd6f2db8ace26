"""The MongoDB backend: writes batches of events to one collection, each event once."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, ClassVar, Final, Literal

import pymongo
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from eventtracking_core import BatchError, Event, EventType, RetryableError, Seconds, refuse_options
from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import keep, normalize_event, wire_reader
from eventtracking_mongo.connection import Connection, Documents
from eventtracking_mongo.event_types import event_type, event_type_document
from eventtracking_mongo.failures import explain
from eventtracking_mongo.inserting import insert, revive, write
from eventtracking_mongo.reading import Reading
from eventtracking_mongo.schema import INDEXES, CollectionSchema, Incarnation, incarnation

__all__ = ["MongoBackend"]

SEND_TIMEOUT: Final = 5.0
"""Timeout, in seconds, when the emitting thread delivers one event."""

GOODBYE_TIMEOUT: Final = 0.5
"""Maximum seconds for closing the connection politely."""

SHORTEST_TIMEOUT: Final = 0.001
"""Minimum timeout in seconds: pymongo takes 0 as no limit."""

SEARCH_STEP: Final = 0.5
"""Seconds by which pymongo's server selection may exceed its timeout.

It checks the clock once per `MIN_HEARTBEAT_INTERVAL`, so it may wait one interval too long.
"""


MAX_PORT: Final = 65_536


class MongoBackend(Reading):
    """Writes events to a MongoDB collection, acknowledged by a majority and journaled.

    An event's id is its document's `_id`, so a retried event is stored once. The connection is
    opened with the first event, and each process has its own.

    Args:
        uri: the connection string, `mongodb://` or `mongodb+srv://`; instead of `host` and `port`.
        host: the server's name or address; `localhost` by default.
        port: the server's port; 27017 by default.
        user: the user name; overrides the one in `uri`.
        password: the user's password.
        database: the name of the database; by default the one in `uri`, or else `eventtracking`.
        collection: the name of the collection for events. It is created if it doesn't exist.
        event_types: the name of the collection for event-type records, in the same database.
        extra: further options of `pymongo.MongoClient`, such as `authSource` or `tls`.
        w: the number of replica-set members that must acknowledge a write, or `"majority"`.
            Overrides `uri` and `extra`, as does `journal`.
        journal: whether they must have written it to their on-disk journals.
        indexes: fields to index in ascending order; nested fields are dotted.
        ttl: seconds after its `timestamp` at which an event is deleted; never by default.
        timeseries: create a time-series collection of this granularity. Such a collection can't
            reject duplicates: a retried event may be stored twice.

    Raises:
        ValueError: an option is invalid, or two options contradict each other.
    """

    default_delivery: ClassVar[str] = "queue"

    read_wire = staticmethod(wire_reader(revive))
    """Queued events keep BSON's own types: bytes, `ObjectId`, `Decimal128` and others."""

    def __init__(
        self,
        uri: str | None = None,
        *,
        host: str | None = None,
        port: int | None = None,
        user: str | None = None,
        password: str | None = None,
        database: str | None = None,
        collection: str = "events",
        event_types: str = "event_types",
        extra: Mapping[str, Any] | None = None,
        w: int | str = "majority",
        journal: bool = True,
        indexes: Sequence[str] = INDEXES,
        ttl: Seconds | None = None,
        timeseries: Literal["seconds", "minutes", "hours"] | None = None,
    ) -> None:
        refuse_options(
            {
                "give either uri, or host and port": uri is not None
                and (host is not None or port is not None),
                "port must be between 1 and 65535": port is not None and not 0 < port < MAX_PORT,
                "password must be given together with user": password is not None and user is None,
                "w must be at least 1: unacknowledged writes can be lost unnoticed": not w
                or (isinstance(w, int) and w < 1),
            }
        )
        self._schema = CollectionSchema(indexes, ttl, timeseries)
        self._event_types = event_types
        login = {"username": user, "password": password}
        self._connection = Connection(
            uri or host or "localhost",
            {
                **(extra or {}),
                **{key: value for key, value in login.items() if value is not None},
                "port": port,
            },
            database,
            collection,
            WriteConcern(w=w, j=journal),
        )
        # The process that created the indexes, and the collection they belong to.
        self._prepared: tuple[int, Incarnation] | None = None

    def warm_up(self) -> None:
        """Start to search for servers, without waiting for any."""
        self._connection.warm_up()

    def probe(self, timeout: float, /) -> str:
        """Return the version of the primary server, after logging in.

        Raises:
            RetryableError: there is no primary server, or it refuses the login.
        """
        collection = self._connection.collection(timeout)
        with _within(timeout * 0.9, collection):
            version = collection.database.command("buildInfo")["version"]
        return f"the primary server answers (MongoDB {version})"

    def send(self, event: Event, /) -> None:
        """Write one event within five seconds.

        Raises:
            RetryableError: it was not delivered; a later attempt may succeed.
            RejectedError: MongoDB will never accept it.
        """
        try:
            self.send_batch([normalize_event(event, native=keep)], timeout=SEND_TIMEOUT)
        except BatchError as error:
            raise error.failures[0] from None

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Write events, and wait until they are acknowledged; `timeout` is in seconds.

        An event that is already stored counts as delivered.

        Raises:
            BatchError: MongoDB will never accept the listed events; the others are delivered.
            RetryableError: not all were delivered; a later attempt may succeed.
            RejectedError: MongoDB cannot read the batch, because of one of its events.
        """
        if not events:
            return
        deadline = monotonic() + timeout
        collection = self._connection.collection(timeout)
        with _within(_driver_timeout(deadline - monotonic()), collection):
            # A dropped collection is recreated by its first event, without indexes and expiry.
            is_new = self._prepared != (os.getpid(), incarnation(collection))
            if is_new:
                self._schema.create(collection)
            failures = insert(collection, events, is_time_series=self._schema.is_time_series)
            if is_new:
                self._index(collection)
        if failures:
            raise BatchError(failures)

    def save_event_type(self, record: EventType) -> None:
        """Write an event-type record, unless its id is already stored.

        Raises:
            RetryableError: it was not written; a later attempt may succeed.
        """
        collection = self._connection.collection()
        records = collection.database.get_collection(
            self._event_types, write_concern=collection.write_concern
        )
        with _within(SEND_TIMEOUT, collection):
            failures = write(records, [event_type_document(record)], [0])
        if failures:
            raise RetryableError(str(failures[0]))

    def load_event_types(self) -> list[EventType]:
        """Return the event-type records, oldest first.

        Raises:
            RetryableError: they cannot be read now.
        """
        collection = self._connection.collection()
        records = collection.database[self._event_types]
        with _within(SEND_TIMEOUT, collection):
            return [event_type(document) for document in records.find().sort("registered_at")]

    def _index(self, collection: Documents) -> None:
        """Create the indexes after the first batch; retry with the next batch if that fails."""
        try:
            current = incarnation(collection)
            self._schema.index(collection)
        except PyMongoError as error:
            report(
                logging.WARNING,
                (collection.full_name, "indexes"),
                "MongoDB did not create the indexes of the collection %s, will retry: %s",
                collection.name,
                type(error).__name__,
            )
        else:
            self._prepared = os.getpid(), current

    def shutdown(self, timeout: float) -> bool:
        """Disconnect this process; `timeout` is in seconds."""
        # Closing politely is best effort: the server times sessions out anyway.
        with pymongo.timeout(max(min(timeout, GOODBYE_TIMEOUT), SHORTEST_TIMEOUT)):
            self._connection.close()
        return True


@contextmanager
def _within(seconds: float, collection: Documents) -> Iterator[None]:
    """Bound what a block asks a server; raise the framework's error for one of pymongo's."""
    try:
        with pymongo.timeout(seconds):
            yield
    except PyMongoError as error:
        # The error's own text may hold documents and addresses.
        raise explain(error, collection.database.client.topology_description) from None


def _driver_timeout(timeout: float) -> float:
    """Return the timeout for pymongo with which it ends within 105 % of `timeout`."""
    in_time = min(timeout, timeout * 1.05 - SEARCH_STEP)
    return max(in_time, timeout / 2, SHORTEST_TIMEOUT)
