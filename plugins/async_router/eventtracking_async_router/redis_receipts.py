"""An outbox in Redis: published messages whose events are pending.

Celery pops a message from its Redis list, and then records which worker has it. A worker that stops
between the two steps loses the message, even on an orderly shutdown. So the publisher first adds
each message to the outbox, and a worker deletes it once its events are delivered or dead-lettered.
Messages that stay in the outbox and are no longer in the queue are published again. RabbitMQ needs
none of this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import time
from typing import Any, Final

from redis import Redis

__all__ = ["Outbox"]

AT_ONCE: Final = 100
"""Maximum number of messages published again in one search."""


class Outbox:
    """The outbox of one queue.

    Args:
        channel: a channel of Celery's Redis transport.
        queue: the queue's name.

    Attributes:
        client: a Redis client that uses the channel's connections.
    """

    def __init__(self, channel: Any, queue: str) -> None:
        self.client: Any = Redis(connection_pool=channel.pool)
        self._prefix = channel.global_keyprefix
        self._lists = [channel._q_for_pri(queue, step) for step in channel.priority_steps]  # noqa: SLF001
        self._documents = f"{self._prefix}eventtracking.{queue}"
        self._times = f"{self._documents}.times"
        self._lock_key = f"{self._documents}.turn"

    def add(self, message_id: str, document: Mapping[str, Any], countdown: float) -> None:
        """Add a message before it is published."""
        pipeline = self.client.pipeline()
        pipeline.hset(self._documents, message_id, json.dumps(document))
        pipeline.zadd(self._times, {message_id: time() + countdown})
        pipeline.execute()

    def delete(self, message_id: str) -> None:
        """Delete a message whose events are delivered or dead-lettered."""
        pipeline = self.client.pipeline()
        pipeline.hdel(self._documents, message_id)
        pipeline.zrem(self._times, message_id)
        pipeline.execute()

    def expired(self, patience: float) -> dict[str, Any]:
        """Return old messages that are no longer in the queue.

        One worker at a time searches, and each message is returned once per `2 * patience` at most.

        Args:
            patience: seconds after which Celery itself redelivers a message to another worker.
        """
        if not self.client.set(self._lock_key, b"", nx=True, px=max(1, int(patience * 500))):
            return {}
        now = time()
        # By then, Celery has redelivered the messages of workers that stopped.
        limit = now - 2 * patience
        oldest = self._oldest_waiting()
        if oldest is not None:  # messages behind it in the queue are not lost
            limit = min(limit, oldest - patience)
        ids = self.client.zrangebyscore(self._times, 0, limit, start=0, num=AT_ONCE)
        if not ids:
            return {}
        self.client.zadd(self._times, dict.fromkeys(ids, now))
        documents = self.client.hmget(self._documents, ids)
        return {
            message_id.decode(): json.loads(document)
            for message_id, document in zip(ids, documents, strict=True)
            if document is not None
        }

    def _oldest_waiting(self) -> float | None:
        """Return the time at which the queue's next message was added; None if it is empty."""
        times = []
        for name in self._lists:
            message = self.client.lindex(f"{self._prefix}{name}", -1)
            if message is not None:
                message_id = json.loads(message)["headers"]["id"]
                times.append(self.client.zscore(self._times, message_id) or 0.0)
        return min(times, default=None)
