"""An outbox in Redis: messages that were published and are not settled.

On Redis, Celery takes a message out of its list first, and records that a worker has it in a second
step. A worker that ends in between loses the message, even if it ends in an orderly way. So the
publisher adds each message to the outbox first, and a worker deletes it when it is settled.
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
"""Messages published again in one search."""


class Outbox:
    """The outbox of one queue.

    Args:
        channel: of Celery's Redis transport.
        queue: the queue's name.

    Attributes:
        client: talks to the server over the channel's connections.
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
        """Delete a message whose events are settled."""
        pipeline = self.client.pipeline()
        pipeline.hdel(self._documents, message_id)
        pipeline.zrem(self._times, message_id)
        pipeline.execute()

    def expired(self, patience: float) -> dict[str, Any]:
        """Return old messages that are no longer in the queue.

        Only one worker at a time gets them, and each message only once in a while.

        Args:
            patience: seconds after which Celery itself gives a message to another worker.
        """
        if not self.client.set(self._lock_key, b"", nx=True, px=max(1, int(patience * 500))):
            return {}
        now = time()
        # By then, Celery has given to another worker what a worker had when it ended.
        limit = now - 2 * patience
        oldest = self._oldest_waiting()
        if oldest is not None:  # those that wait behind it are not lost
            limit = min(limit, oldest - patience)
        found = self.client.zrangebyscore(self._times, 0, limit, start=0, num=AT_ONCE)
        if not found:
            return {}
        self.client.zadd(self._times, dict.fromkeys(found, now))
        documents = self.client.hmget(self._documents, found)
        return {
            message_id.decode(): json.loads(document)
            for message_id, document in zip(found, documents, strict=True)
            if document is not None
        }

    def _oldest_waiting(self) -> float | None:
        """Return when the next message of the queue was added; None if the queue is empty."""
        times = []
        for name in self._lists:
            message = self.client.lindex(f"{self._prefix}{name}", -1)
            if message is not None:
                message_id = json.loads(message)["headers"]["id"]
                times.append(self.client.zscore(self._times, message_id) or 0.0)
        return min(times, default=None)
