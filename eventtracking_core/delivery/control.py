"""What other threads ask of a worker: to look, to deliver at once, to end in time."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core._threads import Bell

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.delivery.queue import FlushMarker

__all__ = ["WorkerControl"]

LONGEST_WAIT: Final = 3600.0
"""Seconds after which the worker looks unasked; the system's clocks refuse to wait for ages."""


class WorkerControl:
    """Written by any thread and by signal handlers, so nothing here holds a lock; read by one."""

    def __init__(self) -> None:
        self.bell = Bell()
        self._markers: deque[FlushMarker] = deque()
        self._deadline: float | None = None
        self.stopped_at: float | None = None

    # ── for whoever asks ──

    def wake(self) -> None:
        """End the wait that is going on, or the next one."""
        self.bell.ring()

    def flush(self, marker: FlushMarker) -> None:
        """Deliver at once what is there, and settle the marker."""
        self._markers.append(marker)

    def withdraw(self, marker: FlushMarker) -> None:
        """Nobody waits for the marker any more."""
        with suppress(ValueError):
            self._markers.remove(marker)

    def stop(self) -> None:
        """End when nothing waits any more."""
        self.stopped_at = self.stopped_at or monotonic()

    def set_deadline(self, deadline: float | None) -> None:
        """Try nothing again after a moment of the monotonic clock."""
        self._deadline = deadline

    def extend_deadline(self, deadline: float) -> None:
        """Try nothing again after a moment of the monotonic clock, or a later one set before."""
        self._deadline = max(deadline, self._deadline or deadline)

    # ── for the worker ──

    @property
    def is_stopping(self) -> bool:
        """Whether there will be no more events."""
        return self.stopped_at is not None

    @property
    def past_deadline(self) -> bool:
        """Whether it should have ended."""
        return self._deadline is not None and monotonic() >= self._deadline

    @property
    def is_flushing(self) -> bool:
        """Whether somebody waits for what is there."""
        return bool(self._markers)

    @property
    def flush_requested(self) -> bool:
        """Whether somebody flushes who has not had an attempt of their own; true once for each."""
        waiting = [marker for marker in list(self._markers) if not marker.expedited]
        for marker in waiting:
            marker.expedited = True
        return bool(waiting)

    def seconds_left(self, otherwise: float) -> float:
        """Return the seconds until it should have ended; or what holds without such a moment."""
        return otherwise if self._deadline is None else max(0.0, self._deadline - monotonic())

    def complete(self, is_done: Callable[[FlushMarker], bool]) -> None:
        """Tell those who flush and have nothing more to wait for."""
        for marker in list(self._markers):
            if is_done(marker):
                self.withdraw(marker)
                marker.done.set()

    def wait(self, seconds: float | None) -> None:
        """Wait to be woken, for some seconds at most."""
        self.bell.wait(LONGEST_WAIT if seconds is None else min(seconds, LONGEST_WAIT))
