"""Control signals from other threads to the worker: wake, flush, stop, deadline."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core._threads import Bell
from eventtracking_core.deadlines import seconds_until

if TYPE_CHECKING:
    from eventtracking_core.delivery.buffer import FlushMarker

__all__ = ["WorkerControl"]

LAST_ATTEMPT: Final = 1.0
"""The least seconds that an attempt is given, however near the deadline is."""


class WorkerControl:
    """Written by any thread and by signal handlers, so nothing here holds a lock; read by one.

    Attributes:
        bell: wakes the worker.
        own_bell: the one that the running worker waits for; it is outdated once gevent or eventlet
            replaced the threads.
        markers: flushes that wait for the worker.
        stopped_at: when there were to be no more events, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.bell = self.own_bell = Bell()
        self.markers: deque[FlushMarker] = deque()
        self._deadline: float | None = None
        self.stopped_at: float | None = None

    # ── for other threads ──

    def withdraw(self, marker: FlushMarker) -> None:
        """Forget a flush whose caller no longer waits."""
        with suppress(ValueError):
            self.markers.remove(marker)

    def stop(self) -> None:
        """End the worker when nothing is pending."""
        self.stopped_at = self.stopped_at or monotonic()
        self.bell.ring()

    def set_deadline(self, deadline: float | None) -> None:
        """Start no attempt after a moment of the monotonic clock."""
        self._deadline = deadline

    def extend_deadline(self, deadline: float) -> None:
        """Start no attempt after a moment of the monotonic clock, or a later one set before."""
        self._deadline = max(deadline, self._deadline or deadline)

    # ── for the worker ──

    def past_deadline(self) -> bool:
        """Return whether the deadline has passed."""
        deadline = self._deadline
        return deadline is not None and monotonic() >= deadline

    def flush_requested(self) -> bool:
        """Return whether there is a flush that had no attempt yet; true once for each."""
        waiting = [marker for marker in list(self.markers) if not marker.expedited]
        for marker in waiting:
            marker.expedited = True
        return bool(waiting)

    def attempt_timeout(self, limit: float) -> float:
        """Return the seconds that an attempt may take, at most a limit."""
        deadline = self._deadline
        return limit if deadline is None else min(limit, max(LAST_ATTEMPT, deadline - monotonic()))

    def seconds_left(self, otherwise: float) -> float:
        """Return the seconds until the deadline, or `otherwise` if there is none."""
        deadline = self._deadline
        return otherwise if deadline is None else seconds_until(deadline)
