"""Giving messages back to the queue they came from, to be tried again later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from celery import Celery

from eventtracking_async_router.outlet import Outlet

__all__ = ["PUBLISHES_IN", "Returns", "outlet"]

PUBLISHES_IN: Final = 10.0
"""Seconds."""

MAX_RETURNS: Final = 1440
"""How often a message is given back as a whole: for about a day."""

MAX_QUEUES: Final = 1000

LONGEST_PAUSE: Final = 60.0

# By application and queue, for as long as the process lives.
_outlets: Final[dict[tuple[int, str], Outlet]] = {}


def outlet(app: Celery, queue: str) -> Outlet:
    """Return what this process publishes with, into a queue of the application it works for."""
    key = (id(app), queue)
    if key not in _outlets:
        if len(_outlets) >= MAX_QUEUES:
            _outlets.clear()
        _outlets[key] = Outlet(lambda: app, queue)
    return _outlets[key]


class Returns:
    """The way back of one message.

    Args:
        outlet: publishes into the queue it came from.
        number: how often it was given back before.
    """

    def __init__(self, outlet: Outlet, number: int) -> None:
        self._outlet = outlet
        self._number = number

    @property
    def is_exhausted(self) -> bool:
        """Whether the message was given back too often."""
        return self._number >= MAX_RETURNS

    def part(self, document: Mapping[str, Any], delay: float) -> None:
        """Publish what is left of a message, to be taken up after `delay` seconds.

        Raises:
            RetryableError: the broker did not take it.
        """
        self._outlet.publish(document, timeout=PUBLISHES_IN, countdown=delay)

    def whole(self, document: Any) -> None:
        """Give the message back as it came: later, the more often that happened.

        Raises:
            RetryableError: the broker did not take it.
        """
        delay = min(LONGEST_PAUSE, 2.0 ** min(self._number, 10))
        self._outlet.publish(
            document, timeout=PUBLISHES_IN, countdown=delay, retries=self._number + 1
        )
