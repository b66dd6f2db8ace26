"""What other threads ask of a worker: to look, to deliver at once, to end in time."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery._threads import Bell

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.delivery.queue import Ticket

__all__ = ["Requests"]

LONGEST_WAIT: Final = 3600.0
"""Seconds after which the worker looks unasked; the system's clocks refuse to wait for ages."""


class Requests:
    """Written by any thread and by signal handlers, so nothing here holds a lock; read by one."""

    def __init__(self) -> None:
        self.bell = Bell()
        self._tickets: deque[Ticket] = deque()
        self._deadline: float | None = None
        self.stopped_at: float | None = None

    # ── for whoever asks ──

    def wake(self) -> None:
        """End the wait that is going on, or the next one."""
        self.bell.ring()

    def flush(self, ticket: Ticket) -> None:
        """Deliver at once what is there, and settle the ticket."""
        self._tickets.append(ticket)

    def withdraw(self, ticket: Ticket) -> None:
        """Nobody waits for the ticket any more."""
        with suppress(ValueError):
            self._tickets.remove(ticket)

    def stop(self) -> None:
        """End when nothing waits any more."""
        self.stopped_at = self.stopped_at or monotonic()

    def end_by(self, deadline: float | None) -> None:
        """Try nothing again after a moment of the monotonic clock."""
        self._deadline = deadline

    def end_at_the_latest(self, deadline: float) -> None:
        """Try nothing again after a moment of the monotonic clock, or a later one set before."""
        self._deadline = max(deadline, self._deadline or deadline)

    # ── for the worker ──

    @property
    def is_stopping(self) -> bool:
        """Whether there will be no more events."""
        return self.stopped_at is not None

    @property
    def is_late(self) -> bool:
        """Whether it should have ended."""
        return self._deadline is not None and monotonic() >= self._deadline

    @property
    def is_flushing(self) -> bool:
        """Whether somebody waits for what is there."""
        return bool(self._tickets)

    @property
    def is_hurried(self) -> bool:
        """Whether somebody flushes who has not had an attempt of their own; true once for each."""
        waiting = [ticket for ticket in list(self._tickets) if not ticket.hurried]
        for ticket in waiting:
            ticket.hurried = True
        return bool(waiting)

    def seconds_left(self, otherwise: float) -> float:
        """Return the seconds until it should have ended; or what holds without such a moment."""
        return otherwise if self._deadline is None else max(0.0, self._deadline - monotonic())

    def settle(self, is_settled: Callable[[Ticket], bool]) -> None:
        """Tell those who flush and have nothing more to wait for."""
        for ticket in list(self._tickets):
            if is_settled(ticket):
                self.withdraw(ticket)
                ticket.settled.set()

    def wait(self, seconds: float | None) -> None:
        """Wait to be woken, for some seconds at most."""
        self.bell.wait(LONGEST_WAIT if seconds is None else min(seconds, LONGEST_WAIT))
