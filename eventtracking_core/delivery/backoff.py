"""The delay between attempts: exponential with full jitter, and a circuit that opens.

Source of the jitter: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from random import uniform
from typing import Final

__all__ = ["Backoff"]

OPENS_AFTER: Final = 5
"""Failures in a row after which one event is tried instead of a batch."""

TRIES_ALL_EVERY: Final = 10


class Backoff:
    """The delays of one sink, and how often it failed in a row."""

    def __init__(self, initial_interval: float, max_interval: float) -> None:
        self._initial_interval = initial_interval
        self._max_interval = max_interval
        self.failures = 0

    @property
    def probes(self) -> bool:
        """Whether the next attempt is for one event only, since the sink failed so often.

        Every tenth attempt is for a whole batch: the sink may object to the one event.
        """
        return self.failures >= OPENS_AFTER and self.failures % TRIES_ALL_EVERY != 0

    def failed(self, retry_after: float | None) -> float:
        """Return the seconds to wait after one more failure.

        Args:
            retry_after: the least the sink asks to wait, in seconds; at most ten times
                `max_interval` of it is granted.
        """
        self.failures += 1
        doublings = min(self.failures - 1, 30)
        delay = uniform(0, min(self._max_interval, self._initial_interval * 2**doublings))  # noqa: S311
        if retry_after is None:
            return delay
        return max(delay, min(retry_after, 10 * self._max_interval))
