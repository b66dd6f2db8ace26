"""Deliver a message in the process that emitted it, for Celery's eager mode."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, sleep
from typing import Any, Final

from eventtracking_async_router.delivering import deliver
from eventtracking_async_router.router import RemoteRouter
from eventtracking_core import RetryableError

__all__ = ["deliver_in_place"]


def deliver_in_place(document: Mapping[str, Any], router: RemoteRouter, *, timeout: float) -> None:
    """Deliver a message to the backends below a node, with retries.

    Args:
        document: the message.
        router: the node.
        timeout: seconds in which to begin retries; the last one may end later.

    Raises:
        RetryableError: a backend did not accept its events. The others did: the next attempt may
            store events twice in a backend that doesn't recognise their ids.
    """
    deadline = monotonic() + timeout
    pending: list[tuple[Mapping[str, Any], float]] = [(document, 0.0)]
    while pending:
        message, delay = pending.pop(0)
        if monotonic() + delay > deadline:
            raise RetryableError("a backend of the node did not accept its events in this process")
        sleep(delay)
        requeue = _InPlace()
        deliver(message, requeue, find=lambda _tracker, _path: router)
        pending += requeue.parts


class _InPlace:
    """Collects the events that a worker would requeue."""

    is_exhausted: Final = False

    def __init__(self) -> None:
        self.parts: list[tuple[Mapping[str, Any], float]] = []

    def events(self, document: Mapping[str, Any], delay: float) -> None:
        self.parts.append((document, delay))

    def message(self, _document: object) -> None:
        raise RetryableError("the events could not be delivered in this process")
