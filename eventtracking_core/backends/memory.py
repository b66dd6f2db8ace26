"""Keep events in memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from eventtracking_core.encoding import snapshot

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["MemoryBackend"]


class MemoryBackend:
    """Keeps the latest events, for tests and for looking around.

    Args:
        max_events: how many to keep; older ones are forgotten.

    Raises:
        ValueError: `max_events` is not positive.
    """

    def __init__(self, max_events: int = 10_000) -> None:
        if max_events < 1:
            raise ValueError("max_events must be positive")
        self._events: deque[Event] = deque(maxlen=max_events)

    @property
    def events(self) -> list[Event]:
        """The events that are kept, oldest first."""
        return list(self._events)

    def send(self, event: Event) -> None:
        """Keep a copy of the event."""
        self._events.append(snapshot(event))

    def clear(self) -> None:
        """Forget all events."""
        self._events.clear()
