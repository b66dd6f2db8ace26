"""The Celery application of the benchmarks: imported by its workers and by senders of tasks.

`BENCHMARKS_BROKER` is its broker, `BENCHMARKS_COUNTER` the Valkey that counts what arrives.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any, Final

from celery import Celery
from redis import Redis

from eventtracking_core import Event

__all__ = ["COUNT", "GO", "READY", "Counting", "app", "counter", "track"]

COUNT: Final = "benchmarks.count"
READY: Final = "benchmarks.ready"
GO: Final = "benchmarks.go"
"""While it is there and not set, batches wait."""

app = Celery(
    "benchmarks",
    broker=os.environ.get("BENCHMARKS_BROKER", "memory://"),
    include=["eventtracking_async_router.tasks"],
)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 10},
    task_default_queue="benchmarks",
    task_ignore_result=True,
)


def counter() -> Any:
    """Return a client of the Valkey that counts."""
    return Redis.from_url(os.environ["BENCHMARKS_COUNTER"])


class Counting:
    """Counts what arrives, all workers together; waits for `GO` where that is asked for."""

    def __init__(self) -> None:
        self._client: Any = None

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Count a batch, within any time."""
        del timeout
        if self._client is None:
            self._client = counter()
            self._client.incr(READY)
        while self._client.get(GO) == b"no":
            time.sleep(0.001)
        self._client.incrby(COUNT, len(events))


_sink: Final = Counting()


@app.task
def track(event: str) -> None:
    """Deliver one event: what an application writes that has a task for each."""
    _sink.send_batch([json.loads(event)], timeout=30)
