"""Keep events in memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

from eventtracking_core.encoding import snapshot

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry import EventType

__all__ = ["MemoryBackend"]


class MemoryBackend:
    """Keeps the latest events, for tests and for looking around.

    Args:
        max_events: how many to keep; older ones are forgotten.

    Raises:
        ValueError: `max_events` is not positive.
    """

    is_read_only: ClassVar[bool] = True

    def __init__(self, max_events: int = 10_000) -> None:
        if max_events < 1:
            raise ValueError("max_events must be positive")
        self._events: deque[Event] = deque(maxlen=max_events)
        self._event_types: dict[str, EventType] = {}

    @property
    def events(self) -> list[Event]:
        """The events that are kept, oldest first."""
        return list(self._events)

    def send(self, event: Event) -> None:
        """Keep a copy of the event."""
        self._events.append(snapshot(event))

    def save_event_type(self, record: EventType) -> None:
        """Keep the record of an event type."""
        self._event_types.setdefault(record.id, record)

    def load_event_types(self) -> list[EventType]:
        """Return the records of event types, in the order in which they came."""
        return list(self._event_types.values())

    def clear(self) -> None:
        """Forget all events, and the records of their types."""
        self._events.clear()
        self._event_types.clear()
