"""To a stream of Valkey: ours, and redis-py running our script, and plain `XADD`s in a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from redis import Redis

from benchmarks.sender import Sender
from benchmarks.varied import batches_of, handed_over, varied
from eventtracking_core import Tracker
from eventtracking_core.encoding import NormalBatch, encode_json
from eventtracking_redis import RedisBackend
from eventtracking_redis.backend import APPEND, CHUNK

__all__ = ["redis_senders"]

EVENTS: Final = 20_000
BATCH: Final = 1000
REMEMBER: Final = 86_400
WAITS: Final = 120.0
"""Seconds for a flush: it is measured, not limited."""


def redis_senders(url: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them.

    Args:
        url: of a server.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    client = stack.enter_context(Redis.from_url(url))
    batches = batches_of(BATCH, EVENTS)
    return [
        _ours(url, client, directory, stack),
        _direct(url, client, batches, stack),
        _script(client, batches),
        _pipeline(client, batches),
    ]


def _ours(url: str, client: Redis, directory: Path, stack: ExitStack) -> Sender:
    delivery = {"mode": "queue", "max_batch_size": BATCH, "directory": str(directory)}
    tracker = Tracker()
    sink = {"type": "redis", "url": url, "stream": "ours", "delivery": delivery}
    tracker.configure({"backends": {"redis": sink}})
    stack.callback(tracker.shutdown)

    def settle() -> None:
        assert tracker.flush(WAITS), "ours did not flush"

    return Sender(
        "ours: redis",
        "tracker.emit(NAME, DATA); tracker.flush()",
        varied(tracker),
        EVENTS,
        _emptied(client, "ours"),
        settle,
    )


def _direct(url: str, client: Redis, batches: list[NormalBatch], stack: ExitStack) -> Sender:
    """Return what sends batches as a worker does, of events that were emitted before."""
    backend = RedisBackend(url, "direct")
    stack.callback(backend.shutdown, 5)
    turns = handed_over(backend, batches)
    return Sender(
        "ours: redis, send_batch(1000)",
        "backend.send_batch(events, timeout=120)",
        lambda: backend.send_batch(next(turns), timeout=WAITS),
        EVENTS // BATCH,
        _emptied(client, "direct"),
        events=BATCH,
    )


def _script(client: Redis, batches: list[NormalBatch]) -> Sender:
    append = client.register_script(APPEND)
    turns = cycle([list(map(_row, batch)) for batch in batches])

    def run() -> None:
        rows = next(turns)
        for start in range(0, len(rows), CHUNK):
            arguments: list[Any] = [0, REMEMBER, "event"]
            for row in rows[start : start + CHUNK]:
                arguments += row
            append(keys=["raw"], args=arguments)

    return Sender(
        "redis-py: the same script, 1,000",
        "script(keys=['raw'], args=arguments) of 250, four times",
        run,
        EVENTS // BATCH,
        _emptied(client, "raw"),
        events=BATCH,
    )


def _pipeline(client: Redis, batches: list[NormalBatch]) -> Sender:
    turns = cycle([list(map(_row, batch)) for batch in batches])

    def run() -> None:
        with client.pipeline(transaction=False) as pipeline:
            for event_id, name, text in next(turns):
                pipeline.xadd("plain", {"id": event_id, "name": name, "event": text})
            pipeline.execute()

    return Sender(
        "redis-py: pipeline of 1,000 XADD",
        "pipeline.xadd(…) of 1,000; pipeline.execute()",
        run,
        EVENTS // BATCH,
        _emptied(client, "plain"),
        events=BATCH,
    )


def _row(event: Any) -> tuple[bytes, bytes, bytes]:
    return event["id"].encode(), event["name"].encode(), encode_json(event)


def _emptied(client: Redis, stream: str) -> Callable[[], int]:
    """Return what counts a stream, and empties it and what marks its events."""

    def delivered() -> int:
        count = client.xlen(stream)
        client.flushdb()
        assert isinstance(count, int)
        return count

    return delivered
