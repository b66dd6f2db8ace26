"""The tables: their names, their definitions, and partitions by month."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from psycopg.errors import CheckViolation, InsufficientPrivilege
from psycopg.sql import SQL, Identifier, Literal

from eventtracking_core.diagnostics import report
from eventtracking_postgres.sessions import Session

__all__ = [
    "LOCK",
    "MAX_NAME",
    "Tables",
    "create",
    "create_partitions",
    "create_schema",
    "has_unique_ids",
    "is_partitioned",
    "lock_definitions",
]

LOCK: Final = 0x65766E74
"""The first number of our advisory locks; the second is the oid of the table or the database."""

MAX_NAME: Final = 63
"""Bytes of a name in PostgreSQL."""

LONGEST: Final = 40
"""Bytes of a table's name, so that those of indexes and partitions can be made from it."""

_NAME: Final = re.compile(r"[^\0.%{}]+")

_SCHEMA: Final = """
CREATE TABLE {table} (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    timestamp timestamptz NOT NULL,
    user_id text COLLATE "C",
    name_id text,
    context_type_id text,
    event jsonb NOT NULL,
    PRIMARY KEY ({key})
){partitioning};
CREATE INDEX {by_seq} ON {table} (seq);
CREATE INDEX {by_timestamp} ON {table} (timestamp);
CREATE INDEX {by_name} ON {table} (name, timestamp);
CREATE INDEX {by_user} ON {table} (user_id, timestamp) WHERE user_id IS NOT NULL;
"""
_DEFAULT: Final = "CREATE TABLE {other} PARTITION OF {table} DEFAULT;"
_EVENT_TYPES: Final = """
CREATE TABLE {event_types} (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    registered_at timestamptz NOT NULL,
    record json NOT NULL
);
"""
_PARTITION: Final = """
CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {table} FOR VALUES FROM ({start}) TO ({end})
"""

_UNIQUE: Final = """
SELECT EXISTS (
    SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(%s) AND indisunique AND attname = 'id'
)
"""
_REFUSALS: Final = {
    CheckViolation: "the default partition has events of that month",
    InsufficientPrivilege: "the user may not create it",
}

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
"""Months of these years get a partition of their own; other times share one."""


class Tables:
    """The names of a store's tables.

    Args:
        table: of events, with or without its schema.
        event_types: of event-type records, in the same schema.

    Raises:
        ValueError: a name cannot be used.
    """

    def __init__(self, table: str, event_types: str) -> None:
        *schema, self.name = table.split(".")
        parts = (*schema, self.name, event_types)
        if len(schema) > 1 or not all(map(_NAME.fullmatch, parts)):
            raise ValueError("table must be a name such as events or analytics.events")
        if max(len(part.encode()) for part in parts) > LONGEST or self.name == event_types:
            raise ValueError(f"table and event_types must differ, with {LONGEST} bytes at most")
        self.schema = schema[0] if schema else None
        self.events = self.beside(self.name)
        self.event_types = self.beside(event_types)
        self.other = self.beside(f"{self.name}_other")
        """The default partition, if the table is partitioned."""
        self.refused: set[str] = set()
        """Names of partitions that the server refused to create."""
        self.events_text = self.events.as_string()
        self.event_types_text = self.event_types.as_string()

    def beside(self, name: str) -> Identifier:
        """Return a name in the schema of the tables."""
        return Identifier(name) if self.schema is None else Identifier(self.schema, name)


def create(session: Session, tables: Tables, *, partitioned: bool) -> None:
    """Create the tables that do not exist; existing ones stay unchanged.

    Args:
        session: a connection.
        tables: their names.
        partitioned: partition a new table of events by month.
    """
    with session.transaction():
        lock_definitions(session)
        if tables.schema is not None:
            create_schema(session, tables.schema)
        if not _exists(session, tables.events_text):
            text = _SCHEMA + _DEFAULT if partitioned else _SCHEMA
            session.execute(
                SQL(text).format(
                    table=tables.events,
                    key=SQL("id, timestamp" if partitioned else "id"),
                    partitioning=SQL(" PARTITION BY RANGE (timestamp)" if partitioned else ""),
                    by_seq=Identifier(f"{tables.name}_by_seq"),
                    by_timestamp=Identifier(f"{tables.name}_by_timestamp"),
                    by_name=Identifier(f"{tables.name}_by_name"),
                    by_user=Identifier(f"{tables.name}_by_user"),
                    other=tables.other,
                )
            )
        if not _exists(session, tables.event_types_text):
            session.execute(SQL(_EVENT_TYPES).format(event_types=tables.event_types))


def create_schema(session: Session, name: str) -> None:
    """Create a schema, unless it exists."""
    # Asked before, because `IF NOT EXISTS` demands the right to create it all the same.
    existing = session.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name])
    if not existing.rowcount:
        session.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))


def is_partitioned(session: Session, tables: Tables) -> bool:
    """Return whether the table of events has partitions as `create` makes them."""
    row = session.execute(
        "SELECT relkind = 'p' AND to_regclass(%s) IS NOT NULL FROM pg_class"
        " WHERE oid = to_regclass(%s)",
        [tables.other.as_string(), tables.events_text],
    ).fetchone()
    return bool(row and row[0])


def has_unique_ids(session: Session, tables: Tables) -> bool:
    """Return whether a unique index of the table of events begins with the id."""
    row = session.execute(_UNIQUE, [tables.events_text]).fetchone()
    return bool(row and row[0])


def create_partitions(session: Session, tables: Tables, times: Iterable[datetime]) -> None:
    """Create the partitions of the months of some times, unless they exist.

    A month whose partition cannot be created stays in the default partition, which is logged.
    """
    for year, month in sorted({(time.year, time.month) for time in times}):
        name = f"{tables.name}_{year}_{month:02}"
        if not FIRST_YEAR <= year <= LAST_YEAR or name in tables.refused:
            continue
        partition = tables.beside(name)
        if _exists(session, partition.as_string()):
            continue
        after = (year + month // 12, month % 12 + 1)
        statement = SQL(_PARTITION).format(
            partition=partition,
            table=tables.events,
            start=Literal(f"{year}-{month:02}-01T00:00:00Z"),
            end=Literal(f"{after[0]}-{after[1]:02}-01T00:00:00Z"),
        )
        try:
            with session.transaction():
                lock_definitions(session)
                session.execute(statement)
        except (CheckViolation, InsufficientPrivilege) as error:
            tables.refused.add(name)
            why = _REFUSALS[type(error)]
            report(
                logging.WARNING,
                ("postgres", tables.name, "partition", name),
                "the partition %s was not created, because %s: its events are stored in %s_other",
                *(name, why, tables.name),
            )


def lock_definitions(session: Session) -> None:
    """Let one process at a time change definitions, until the transaction ends."""
    session.execute(f"SELECT pg_advisory_xact_lock({LOCK}, 0)")


def _exists(session: Session, name: str) -> bool:
    row = session.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()
    return bool(row and row[0])
