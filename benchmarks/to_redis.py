"""To a stream of Valkey: ours, and redis-py running our script, and plain `XADD`s in a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from redis import Redis

from benchmarks.delivered import BATCH, EVENTS, batch_sender, emitter
from benchmarks.sender import Sender
from benchmarks.varied import batches_of
from eventtracking_core.encoding import NormalBatch, encode_json
from eventtracking_redis import RedisBackend
from eventtracking_redis.backend import APPEND, CHUNK

__all__ = ["redis_senders"]

REMEMBER: Final = 86_400


def redis_senders(url: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them.

    Args:
        url: of a server.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    client = stack.enter_context(Redis.from_url(url))
    batches = batches_of(BATCH, EVENTS)
    sink = {"url": url, "stream": "ours"}
    backend = RedisBackend(url, "direct")
    return [
        emitter("redis", sink, directory, stack, _emptied(client, "ours"), max_batch_size=BATCH),
        batch_sender("redis", backend, batches, stack, _emptied(client, "direct")),
        _script(client, batches),
        _pipeline(client, batches),
    ]


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
