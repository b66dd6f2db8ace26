"""To PostgreSQL: ours, and psycopg doing the same work from prepared rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.delivered import BATCH, EVENTS, batch_sender, emitter
from benchmarks.ours import entered
from benchmarks.replaying import replayer
from benchmarks.sample import DATA, NAME
from benchmarks.sender import Sender
from eventtracking_core.encoding import NormalBatch
from eventtracking_postgres import PostgresBackend

__all__ = ["postgres_senders"]

_COLUMNS: Final = "id, name, timestamp, user_id, name_id, context_type_id, event"


def postgres_senders(uri: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them; psycopg stores rows that ours has stored before.

    Args:
        uri: of a server.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    connection = stack.enter_context(psycopg.connect(uri, autocommit=True))
    ours = emitter(
        "postgres",
        {"uri": uri, "table": "ours"},
        directory,
        stack,
        _emptied(connection, "ours"),
        emit=entered,
        max_batch_size=BATCH,
    )
    sink = {"uri": uri, "table": "replayed"}
    return [
        ours,
        _direct(ours, uri, connection, stack),
        replayer("postgres", sink, directory, _emptied(connection, "replayed")),
        _raw(ours, connection),
    ]


def _direct(
    ours: Sender, uri: str, connection: psycopg.Connection[Any], stack: ExitStack
) -> Sender:
    """Return batches of events that were emitted before, as a worker hands them over."""
    for _ in range(EVENTS):
        ours.call()
    ours.settle()
    events = list(PostgresBackend(uri, "ours").query())
    assert ours.delivered() == len(events) == EVENTS, "ours did not store them all"
    starts = range(0, EVENTS, BATCH)
    batches = [NormalBatch(events[start : start + BATCH]) for start in starts]
    backend = PostgresBackend(uri, "direct")
    return batch_sender("postgres", backend, batches, stack, _emptied(connection, "direct"))


def _raw(ours: Sender, connection: psycopg.Connection[Any]) -> Sender:
    for _ in range(EVENTS):
        ours.call()
    ours.settle()
    selected = _COLUMNS.replace("event", "event::text")
    found = connection.execute(f"SELECT {selected} FROM ours ORDER BY seq")
    rows = [(*fields, Jsonb(text.encode(), bytes)) for *fields, text in found]
    connection.execute("CREATE TABLE raw (LIKE ours INCLUDING ALL)")
    connection.execute("CREATE TEMP TABLE incoming AS SELECT * FROM ours LIMIT 0")
    assert ours.delivered() == len(rows) == EVENTS, "ours did not store them all"
    types = ["text", "text", "timestamptz", "text", "text", "text", "jsonb"]
    batches = cycle([rows[start : start + BATCH] for start in range(0, EVENTS, BATCH)])

    def store() -> None:
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(f"COPY incoming ({_COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(types)
                for row in next(batches):
                    copy.write_row(row)
            cursor.execute(
                f"INSERT INTO raw ({_COLUMNS}) SELECT {_COLUMNS} FROM incoming"
                " ON CONFLICT DO NOTHING"
            )
            cursor.execute("TRUNCATE incoming")

    return Sender(
        "psycopg: COPY and merge of 1,000",
        "copy.write_row(…) of 1,000 rows; INSERT … SELECT … ON CONFLICT DO NOTHING",
        store,
        EVENTS // BATCH,
        _emptied(connection, "raw"),
        events=BATCH,
    )


def _emptied(connection: psycopg.Connection[Any], table: str) -> Callable[[], int]:
    """Return what counts a table, and empties it."""

    def delivered() -> int:
        is_whole = "name = %s AND event->'data' = %s"
        ((count, whole),) = connection.execute(
            f"SELECT count(*), count(*) FILTER (WHERE {is_whole}) FROM {table}", [NAME, Jsonb(DATA)]
        )
        assert count == whole, "an event is not whole"
        connection.execute(f"TRUNCATE {table}")
        assert isinstance(count, int)
        return count

    return delivered
