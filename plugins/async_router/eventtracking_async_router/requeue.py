"""Requeue messages for a later retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from celery import Celery

from eventtracking_async_router.broker import QueuePublisher

__all__ = ["PUBLISH_TIMEOUT", "Requeue", "queue_publisher"]

PUBLISH_TIMEOUT: Final = 10.0
"""Seconds."""

MAX_REQUEUES: Final = 1440
"""How often a message is requeued unchanged: for about a day."""

MAX_QUEUES: Final = 1000

MAX_DELAY: Final = 60.0

# By application and queue, for as long as the process lives.
_publishers: Final[dict[tuple[int, str], QueuePublisher]] = {}


def queue_publisher(app: Celery, queue: str) -> QueuePublisher:
    """Return this process's publisher for a queue of its application."""
    key = (id(app), queue)
    if key not in _publishers:
        if len(_publishers) >= MAX_QUEUES:
            _publishers.clear()
        _publishers[key] = QueuePublisher(lambda: app, queue)
    return _publishers[key]


class Requeue:
    """Requeues one message.

    Args:
        publisher: the publisher for the message's queue.
        number: the number of earlier requeues.
    """

    def __init__(self, publisher: QueuePublisher, number: int) -> None:
        self._publisher = publisher
        self._number = number

    @property
    def is_exhausted(self) -> bool:
        """Whether the message was requeued too often."""
        return self._number >= MAX_REQUEUES

    def events(self, document: Mapping[str, Any], delay: float) -> None:
        """Publish the remaining events of a message, to be delivered after `delay` seconds.

        Raises:
            RetryableError: the broker did not accept it.
        """
        self._publisher.publish(document, timeout=PUBLISH_TIMEOUT, countdown=delay)

    def message(self, document: Any) -> None:
        """Publish the message unchanged, with exponential backoff.

        Raises:
            RetryableError: the broker did not accept it.
        """
        delay = min(MAX_DELAY, 2.0 ** min(self._number, 10))
        self._publisher.publish(
            document, timeout=PUBLISH_TIMEOUT, countdown=delay, retries=self._number + 1
        )
