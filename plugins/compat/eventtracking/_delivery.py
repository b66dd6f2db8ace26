"""Deliver with the core what a backend of the drop-in sends over a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eventtracking_core import Event, Tracker

__all__ = ["Delivery"]

DEFAULT: Final = {"mode": "queue", "schedule_delay": 0.1}
"""Events arrive about as soon as those that `event-tracking` sends at once."""


class Delivery:
    """One backend of the core, with its delivery.

    Args:
        name: the backend's name, in logs and directories.
        backend: its configuration, or the object itself.
        options: its `delivery`, such as `{"mode": "spool"}`.
    """

    def __init__(
        self, name: str, backend: object, options: Mapping[str, Any] | None = None
    ) -> None:
        self._tracker = Tracker()
        node = {"backends": {name: backend}, "delivery": dict(options or DEFAULT)}
        self._tracker.configure({"backends": {"compat": node}})

    def send(self, event: Event) -> None:
        """Accept an event; failures are logged and retried."""
        self._tracker.send(event)

    def flush(self, timeout: float) -> bool:
        """Wait until everything is delivered; return whether it is."""
        return self._tracker.flush(timeout)

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending and release the backend."""
        return self._tracker.shutdown(timeout)

    def stats(self) -> dict[str, Any]:
        """Return the counters of the backend."""
        stats: dict[str, Any] = self._tracker.stats()["tree"]["backends"][0]["backends"][0]
        return stats
