"""To ClickHouse: ours, and clickhouse-connect inserting rows that were made before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import clickhouse_connect

from benchmarks.delivered import EVENTS, batch_sender, emitter
from benchmarks.ours import entered
from benchmarks.replaying import replayer
from benchmarks.sample import NAME
from benchmarks.sender import Sender
from benchmarks.services import ClickHouse
from eventtracking_clickhouse import ClickHouseBackend
from eventtracking_core import Event
from eventtracking_core.encoding import NormalBatch, encode_json

__all__ = ["clickhouse_senders"]

BATCH: Final = 10_000
_COLUMNS: Final = ["timestamp", "id", "name", "user_id", "name_id", "context_type_id", "event"]


def clickhouse_senders(server: ClickHouse, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them.

    Args:
        server: that runs.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    client = clickhouse_connect.get_client(
        host="127.0.0.1",
        port=server.port,
        username=server.user,
        password=server.password,
        compress=False,
    )
    stack.callback(client.close)
    sink = {"uri": server.uri, "table": "ours", "create": True}
    delivered = _emptied(client, "ours")
    ours = emitter("clickhouse", sink, directory, stack, delivered, emit=entered)
    for _ in range(EVENTS):
        ours.call()
    ours.settle()
    events = list(ClickHouseBackend(server.uri, "ours").query())
    assert ours.delivered() == len(events) == EVENTS, "ours did not store them all"
    starts = range(0, EVENTS, BATCH)
    batches = [NormalBatch(events[start : start + BATCH]) for start in starts]
    backend = ClickHouseBackend(server.uri, "direct", create=True)
    sink |= {"table": "replayed"}
    return [
        ours,
        batch_sender("clickhouse", backend, batches, stack, _emptied(client, "direct")),
        replayer("clickhouse", sink, directory, _emptied(client, "replayed")),
        _raw(events, client),
    ]


def _raw(events: list[Event], client: Any) -> Sender:
    client.command("CREATE TABLE raw AS ours")
    rows = [_row(event) for event in events]
    batches = cycle([rows[start : start + BATCH] for start in range(0, EVENTS, BATCH)])
    return Sender(
        "clickhouse-connect: insert of 10,000",
        "client.insert(table, rows, column_names=COLUMNS)",
        lambda: client.insert("raw", next(batches), column_names=_COLUMNS),
        EVENTS // BATCH,
        _emptied(client, "raw"),
        events=BATCH,
    )


def _row(event: Event) -> tuple[datetime, str, str, str, str, str, str]:
    user = str(event["context"].get("user_id") or "")
    types = (event.get("name_id") or "", event.get("context_type_id") or "")
    text = encode_json(event).decode()
    return (event["timestamp"], event["id"], event["name"], user, *types, text)


def _emptied(client: Any, table: str) -> Callable[[], int]:
    """Return what counts a table, and empties it."""

    def delivered() -> int:
        answer = client.raw_query(
            f"SELECT count(), countIf(name = '{NAME}') FROM {table} FINAL", fmt="TabSeparated"
        )
        count, named = map(int, answer.split())
        assert count == named, "an event is not whole"
        client.command(f"TRUNCATE TABLE {table}")
        return count

    return delivered
