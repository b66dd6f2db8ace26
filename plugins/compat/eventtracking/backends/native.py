"""Put any type of the native configuration into a tree of `ENGINE` and `OPTIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventtracking._delivery import Delivery
from eventtracking._ids import native_events

__all__ = ["NativeBackend"]


class NativeBackend:
    """Delivers to a backend of the native configuration, from a queue.

    A value that is not an event, such as a statement of a transformer, is sent as an event's data.

    Args:
        type: of the backend, such as `lrs` or `file`.
        delivery: how events get there, as in the native configuration.
        options: of the backend.

    Raises:
        ConfigurationError: the type is not installed, or an option cannot be used.
    """

    def __init__(
        self,
        type: str,  # noqa: A002  the native configuration's word
        *,
        delivery: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self._delivery = Delivery(type, {"type": type, **options}, delivery)

    def send(self, event: Any) -> None:
        """Accept an event, or a list of events."""
        for each in native_events(event):
            self._delivery.send(each)

    def flush(self, timeout: float) -> bool:
        """Wait until everything is delivered; return whether it is."""
        return self._delivery.flush(timeout)

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending and release the backend."""
        return self._delivery.shutdown(timeout)
