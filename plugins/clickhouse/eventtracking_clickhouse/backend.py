"""The ClickHouse backend: one insert per batch, each event once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from time import monotonic
from typing import ClassVar, Final

from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from eventtracking_clickhouse.clients import Clients
from eventtracking_clickhouse.failures import failure, is_missing
from eventtracking_clickhouse.reading import Reading
from eventtracking_clickhouse.rows import (
    COLUMNS,
    RECORD_COLUMNS,
    columns,
    record_columns,
)
from eventtracking_clickhouse.tables import Tables, literal
from eventtracking_clickhouse.typed import typed_tables
from eventtracking_core import BatchError, Event, EventTrackingError, EventType, RetryableError
from eventtracking_core.encoding import encode_table

__all__ = ["ClickHouseBackend"]

SAVE_TIMEOUT: Final = 5.0
"""Seconds for the record of an event type."""

_MIB: Final = 1024 * 1024
_ERRORS: Final = (ClickHouseError, HTTPError, OSError)
_SETTINGS: Final[dict[str, str | int]] = {
    "async_insert": 0,  # it would acknowledge rows before they are stored
    "max_partitions_per_insert_block": 0,  # a batch of a replay may be of any number of months
    "wait_end_of_query": 1,
}


class ClickHouseBackend(Reading):
    """Stores events in a table of ClickHouse, each id once.

    The table is a `ReplacingMergeTree` with the columns `timestamp`, `id`, `name`, `user_id` (of
    the context, as text), `name_id`, `context_type_id`, and `event` (the whole event, as JSON).
    Read it with `FINAL`: then an event that was sent again is there once.

    Args:
        uri: `clickhouse://user:password@host:8123/database`, or `clickhouses://` for TLS.
        table: the table of events, with or without its database.
        event_types: the table of event-type records, in the same database.
        create: create tables that do not exist with the first event. Otherwise an operator runs
            the statements that `eventtracking schema --for clickhouse` prints.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[Mapping[str, str | int]] = {
        "mode": "queue",
        "max_batch_size": 10_000,
        "max_batch_bytes": 32 * _MIB,
    }
    takes_json: ClassVar[bool] = True

    def __init__(
        self,
        uri: str = "clickhouse://localhost",
        table: str = "events",
        event_types: str = "event_types",
        *,
        create: bool = False,
    ) -> None:
        self._clients = Clients(uri)
        self._tables = Tables(table, event_types)
        self._create = create
        self._created_by: int | None = None
        """The process that created the tables."""

    def definitions(self, event_types: Iterable[EventType] = ()) -> str:
        """Return the statements that create the tables; none is run.

        Args:
            event_types: records, oldest first. Each event type gets a table with typed columns,
                which the server fills from the events that this backend stores.
        """
        statements = [*self._tables.definitions(), *typed_tables(self._tables, event_types)]
        return ";\n\n".join([*statements, ""]).rstrip("\n")

    def probe(self, timeout: float, /) -> str:
        """Return the server's version, after logging in.

        Raises:
            RetryableError: the server cannot be reached, or refuses the login.
        """
        try:
            version = self._clients.version(timeout)
        except _ERRORS as error:
            raise failure(error) from None
        return f"the server answers (ClickHouse {version})"

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Store events with one insert.

        Args:
            events: any number of them.
            timeout: seconds, for all of them together.

        Raises:
            BatchError: some events cannot be encoded, the others are stored.
            RetryableError: all may be tried again; those that were stored are stored once.
            RejectedError: nothing was stored, because of one of the events.
        """
        deadline = monotonic() + timeout
        table, failures = encode_table(events)
        if table.ids:
            token = sha256("\n".join(table.ids).encode()).hexdigest()
            settings = _SETTINGS | {"insert_deduplication_token": token}
            values, events_table = columns(table), self._tables.events
            try:
                self._prepare(deadline)
                left = deadline - monotonic()
                self._clients.insert(events_table, COLUMNS, values, settings, left)
            except _ERRORS as error:
                raise self._failure(error) from None
        if failures:
            raise BatchError(failures)

    def save_event_type(self, record: EventType) -> None:
        """Store an event-type record, unless its id is already stored.

        Raises:
            RetryableError: it was not stored; a later attempt may succeed.
        """
        deadline = monotonic() + SAVE_TIMEOUT
        table = self._tables.event_types
        same = f"SELECT 1 FROM {table} WHERE id = {literal(record.id)} LIMIT 1"  # noqa: S608  a literal
        try:
            self._prepare(deadline)
            if not any(self._clients.rows(same, {}, deadline - monotonic())):
                values, left = record_columns(record), deadline - monotonic()
                self._clients.insert(table, RECORD_COLUMNS, values, _SETTINGS, left)
        except _ERRORS as error:
            raise RetryableError(str(self._failure(error))) from None

    def shutdown(self, timeout: float) -> bool:  # noqa: ARG002  closing waits for no one
        """Disconnect this process; the next event connects again."""
        self._clients.close()
        return True

    def _failure(self, error: Exception) -> EventTrackingError:
        """Return the framework's error; the next attempt creates a table that was dropped."""
        if is_missing(error):
            self._created_by = None
        return failure(error)

    def _prepare(self, deadline: float) -> None:
        if self._create and self._created_by != os.getpid():
            for statement in self._tables.definitions():
                self._clients.command(statement, deadline - monotonic())
            self._created_by = os.getpid()
