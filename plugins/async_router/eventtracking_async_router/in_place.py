"""Delivering a message in the process that emitted it, as Celery's eager mode asks."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from eventtracking_async_router.delivering import deliver
from eventtracking_core import RetryableError

if TYPE_CHECKING:
    from eventtracking_core.delivery import RemoteRouter

__all__ = ["deliver_in_place"]


def deliver_in_place(document: Mapping[str, Any], router: RemoteRouter, *, timeout: float) -> None:
    """Deliver a message to the backends below a node, and retry those that fail.

    Args:
        document: the message.
        router: the node.
        timeout: seconds for retries; an attempt that was begun in time may end later.

    Raises:
        RetryableError: a backend did not take its events. The others did, so that the next attempt
            may store some events twice where a backend does not know them by their id.
    """
    deadline = monotonic() + timeout
    pending: list[tuple[Mapping[str, Any], float]] = [(document, 0.0)]
    while pending:
        message, delay = pending.pop(0)
        if monotonic() + delay > deadline:
            raise RetryableError("a backend of the node did not take its events in place")
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
        raise RetryableError("the events could not be delivered in place")
