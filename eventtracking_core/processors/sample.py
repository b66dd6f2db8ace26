"""Keep a fixed share of events, the same ones in every process."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from eventtracking_core.errors import EventEmissionExit
from eventtracking_core.processors._filter import Filter

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Sample"]


class Sample(Filter):
    """Let a fixed share of events through.

    The choice depends only on the event's id, so every branch, process and replay keeps the same
    events.

    Args:
        rate: share to keep, from 0.0 (none) to 1.0 (all).

    Raises:
        ValueError: `rate` is outside [0, 1].
    """

    def __init__(self, rate: float) -> None:
        if not 0.0 <= rate <= 1.0:
            raise ValueError("rate must be between 0 and 1")
        self._limit = int(rate * 2**32)
        self._keeps_all = self._limit == 2**32

    def __call__(self, event: Event, /) -> None:
        """Let the event pass if it is of the share that is kept."""
        # The id's digits are not evenly spread (time, counter); its checksum is.
        if not self._keeps_all and crc32(event["id"].encode()) >= self._limit:
            raise EventEmissionExit
