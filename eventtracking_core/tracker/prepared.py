"""An event that is made now and sent later: after a commit, at the end of a request."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["PreparedEvent"]


class PreparedEvent:
    """An event with its id, time, contexts and data as they were when it was prepared.

    Not sending it discards it. It is counted as emitted when it is sent.

    Attributes:
        id: the event's id, as `Tracker.emit` would have returned it.
    """

    __slots__ = ("_send", "id")

    def __init__(self, event_id: str, send: Callable[[], object] | None) -> None:
        self.id = event_id
        self._send = send

    def send(self) -> None:
        """Send the event through the tracker's pipeline, once. Never raises."""
        send, self._send = self._send, None
        if send is not None:
            send()
