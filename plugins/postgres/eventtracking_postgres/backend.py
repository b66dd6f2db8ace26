"""The PostgreSQL backend: one COPY and one merge per batch, each event once."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final, Literal

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from eventtracking_core import BatchError, Event, EventTrackingError, EventType, RetryableError
from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import Table, encode_table
from eventtracking_core.files.probing import unreadable
from eventtracking_postgres.failures import failure, is_missing
from eventtracking_postgres.reading import Reading, records
from eventtracking_postgres.rows import COLUMNS, STORED, binary, without_nul
from eventtracking_postgres.sessions import Session, Sessions
from eventtracking_postgres.tables import (
    LOCK,
    Tables,
    create,
    create_partitions,
    create_schema,
    has_unique_ids,
    is_partitioned,
    lock_definitions,
)
from eventtracking_postgres.views import columns, view

__all__ = ["PostgresBackend"]

SAVE_TIMEOUT: Final = 5.0
"""Seconds for the record of an event type."""

_FILES: Final = ("sslrootcert", "sslcert", "sslkey")
"""Parameters of a connection that name files."""

_SYSTEM: Final = "system"
"""Stands for the authorities of the system, in place of a file."""

_INCOMING: Final = """
BEGIN;
CREATE TEMP TABLE IF NOT EXISTS eventtracking_incoming (
    id text, name text, timestamp timestamptz, user_id text, name_id text, context_type_id text,
    event jsonb
) ON COMMIT DELETE ROWS
"""
_COPY: Final = f"COPY eventtracking_incoming ({COLUMNS}) FROM STDIN (FORMAT binary)"

# The lock makes the order of `seq` the order in which events become visible, for those who ask for
# what was stored after an event. All three run on the server, so no client can hold it.
_MERGE: Final = f"""
SELECT pg_advisory_xact_lock({LOCK}, '{{name}}'::regclass::oid::bigint::bit(32)::int);
INSERT INTO {{table}} ({COLUMNS}) SELECT {STORED} FROM eventtracking_incoming
ON CONFLICT DO NOTHING;
COMMIT
"""  # noqa: S608  all of it stands in this plugin
_SAVE: Final = """
INSERT INTO {table} (id, kind, name, description, registered_at, record)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING
"""


class PostgresBackend(Reading):
    """Stores events in a table of PostgreSQL, each id once.

    The table is created with the first event. Its columns are `id`, `name`, `timestamp`, `user_id`
    (of the context, as text), `name_id`, `context_type_id`, `event` (the whole event, `jsonb`), and
    `seq`, which grows in the order of storing.

    Args:
        uri: a connection string such as `postgresql://user@host/database`; what it lacks comes from
            libpq's environment variables (`PGHOST`, `PGPASSWORD`, …) and its password file.
        table: the table of events, with or without its schema.
        event_types: the table of event-type records, in the same schema.
        partition: `month` partitions a new table by the month of `timestamp`. A table that is
            partitioned so gets a partition for each further month, whatever the option says.
        views: a schema in which each registered event type gets a view with typed columns; none
            if not given.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[str] = "queue"
    takes_json: ClassVar[bool] = True

    def __init__(
        self,
        uri: str = "",
        table: str = "events",
        event_types: str = "event_types",
        partition: Literal["month"] | None = None,
        views: str | None = None,
    ) -> None:
        try:
            parts = conninfo_to_dict(uri)
        except Error:
            raise ValueError(
                "uri must have the form postgresql://user:password@host:port/database?option=value,"
                " with user and password percent-encoded"
            ) from None
        files = {name: str(parts.get(name, _SYSTEM)) for name in _FILES}
        self._files = {f"uri: {name}": file for name, file in files.items() if file != _SYSTEM}
        if partition not in (None, "month"):
            raise ValueError("partition must be month")
        if views is not None and (not views or "\0" in views):
            raise ValueError("views must be the name of a schema")
        self._tables = Tables(table, event_types)
        self._sessions = Sessions(uri)
        self._partition = partition
        self._views = views
        name = self._tables.events_text.replace("'", "''")
        self._merge = SQL(_MERGE.replace("{name}", name)).format(table=self._tables.events)
        # Replaced as a whole: the process that created the tables, and whether it has partitions.
        self._prepared: tuple[int, bool] | None = None

    def review(self) -> Iterator[str]:
        """Yield a warning for each file in `uri` that cannot be read."""
        return unreadable(self._files)

    def probe(self, timeout: float, /) -> str:
        """Return the server's version, after logging in.

        Raises:
            RetryableError: the server cannot be reached, or refuses the login.
        """
        try:
            with self._sessions.connect(timeout) as session:
                version = session.info.parameter_status("server_version")
        except Error as error:
            raise failure(error) from None
        return f"the server answers (PostgreSQL {version})"

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Store events in one transaction, except those whose id is there already.

        Args:
            events: any number of them.
            timeout: seconds, for all of them together.

        Raises:
            BatchError: some events cannot be encoded, the others are stored.
            RetryableError: nothing was stored, and all may be tried again.
            RejectedError: nothing was stored, because of one of the events.
        """
        table, failures = encode_table(events)
        if table.ids:
            try:
                with self._sessions.session(timeout) as session:
                    self._store(session, without_nul(table))
            except Error as error:
                raise self._failure(error) from None
        if failures:
            raise BatchError(failures)

    def save_event_type(self, record: EventType) -> None:
        """Store an event-type record, unless its id is already stored, and extend its view.

        Raises:
            RetryableError: it was not stored; a later attempt may succeed.
        """
        try:
            with self._sessions.session(SAVE_TIMEOUT) as session:
                self._prepare(session)
                self._save(session, record)
        except Error as error:
            raise RetryableError(str(self._failure(error))) from None
        if self._views is not None and record.kind == "event":
            self._extend(self._views, record.name)

    def shutdown(self, timeout: float) -> bool:  # noqa: ARG002  closing waits for no one
        """Disconnect this process; the next event connects again."""
        self._sessions.close()
        return True

    def _store(self, session: Session, table: Table) -> None:
        if self._prepare(session):
            create_partitions(session, self._tables, table.moments)
        with session.cursor() as cursor:
            cursor.execute(_INCOMING)
            with cursor.copy(_COPY) as copy:
                for piece in binary(table):
                    copy.write(piece)
            cursor.execute(self._merge)

    def _prepare(self, session: Session) -> bool:
        """Create the tables if they do not exist; return whether partitions are to be created."""
        if self._prepared is None or self._prepared[0] != os.getpid():
            create(session, self._tables, partitioned=self._partition is not None)
            has_partitions = is_partitioned(session, self._tables)
            if self._partition is not None and not has_partitions:
                self._warn("the table %s existed without partitions, and stays so")
            if not has_unique_ids(session, self._tables):
                self._warn(
                    "the table %s has no unique index on id: an event that is sent again is"
                    " stored again"
                )
            self._prepared = os.getpid(), has_partitions
        return self._prepared[1]

    def _failure(self, error: Error) -> EventTrackingError:
        """Return the framework's error; the next attempt creates a table that was dropped."""
        if is_missing(error):
            self._prepared = None
        return failure(error)

    def _warn(self, text: str) -> None:
        name = self._tables.name
        report(logging.WARNING, ("postgres", name, text), text, name)

    def _save(self, session: Session, record: EventType) -> None:
        plain: Mapping[str, object] = record.to_dict()
        texts = (record.kind, record.name, record.description)
        session.execute(
            SQL(_SAVE).format(table=self._tables.event_types),
            (
                record.id,
                *(text.replace("\0", "\ufffd") for text in texts),
                record.registered_at,
                json.dumps(plain),
            ),
        )

    def _extend(self, schema: str, name: str) -> None:
        try:
            with self._sessions.session(SAVE_TIMEOUT) as session, session.transaction():
                lock_definitions(session)
                columns_of_type = columns(
                    records(session, self._tables, name.replace("\0", "\ufffd"))
                )
                create_schema(session, schema)
                session.execute(view(schema, name, self._tables.events, columns_of_type))
        except Error as error:
            report(
                logging.WARNING,
                ("postgres", "view", name),
                "the view of the event type %s was not changed: %s",
                name,
                failure(error),
            )
