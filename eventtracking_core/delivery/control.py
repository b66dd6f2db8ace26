"""Signals from other threads to the worker, and which thread that is: one at a time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.deadlines import seconds_until
from eventtracking_core.lifecycle.claims import Claim, ClaimLock
from eventtracking_core.lifecycle.postponing import uninterrupted
from eventtracking_core.lifecycle.threads import Bell, Latch, start_daemon

if TYPE_CHECKING:
    from eventtracking_core.delivery.buffer import FlushMarker

__all__ = ["WorkerControl", "WorkerThread"]

PAUSE: Final = 0.01
"""Seconds between two looks whether a thread has let go."""

LAST_ATTEMPT: Final = 1.0
"""The least seconds that an attempt is given, however near the deadline is."""


class WorkerControl:
    """Written by any thread and by signal handlers, so nothing here holds a lock; read by one.

    Attributes:
        bell: wakes the worker.
        own_bell: the one that the running worker waits for; it is outdated once gevent or eventlet
            replaced the threads.
        markers: flushes that wait for the worker.
        deadline: the moment of the monotonic clock after which no attempt starts.
        stopped_at: when there were to be no more events, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.bell = self.own_bell = Bell()
        self.markers: deque[FlushMarker] = deque()
        self.deadline: float | None = None
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

    def extend_deadline(self, deadline: float) -> None:
        """Set a deadline, unless a later one was set."""
        self.deadline = max(deadline, self.deadline or deadline)

    # ── for the worker ──

    def past_deadline(self) -> bool:
        """Return whether the deadline has passed."""
        deadline = self.deadline
        return deadline is not None and monotonic() >= deadline

    def flush_requested(self) -> bool:
        """Return whether there is a flush that had no attempt yet; true once for each."""
        waiting = [marker for marker in list(self.markers) if not marker.expedited]
        for marker in waiting:
            marker.expedited = True
        return bool(waiting)

    def attempt_timeout(self, limit: float) -> float:
        """Return the seconds that an attempt may take, at most a limit."""
        deadline = self.deadline
        return limit if deadline is None else min(limit, max(LAST_ATTEMPT, deadline - monotonic()))

    def seconds_left(self, otherwise: float) -> float:
        """Return the seconds until the deadline, or `otherwise` if there is none."""
        deadline = self.deadline
        return otherwise if deadline is None else seconds_until(deadline)


class WorkerThread:
    """The thread of a worker, and the greenlet that follows it.

    gevent and eventlet may replace the threads of a program when the thread runs already. What is
    theirs then, such as the locks of `logging`, stops a native thread; so it lets go,
    and the next event, flush or end starts a greenlet.

    Args:
        name: the thread's.
        control: has its bell.
        run: delivers events, if `begin` returns true.
        prepare: called before it starts.

    Attributes:
        done: set when the worker has ended.
    """

    def __init__(
        self,
        name: str,
        control: WorkerControl,
        run: Callable[[], None],
        prepare: Callable[[], object],
    ) -> None:
        self._name = name
        self._control = control
        self._run = run
        self._prepare = prepare
        self._turn = ClaimLock()
        self._is_leaving = False
        self._starter = 0
        self.done: Latch = control.bell.latch()

    @uninterrupted
    def start(self) -> bool:
        """Start the thread unless it runs, or has ended; return whether it did, or is about to run.

        Return False to a signal handler that interrupts a start: the start goes on after the
        handler.
        """
        self.follow_patch()
        bell = self._control.bell
        if bell.is_heard or self.done.is_set:
            return self._starter != threading.get_ident()
        self._starter = threading.get_ident()
        bell.is_heard = True
        is_started = False
        try:
            self._prepare()
            is_started = start_daemon(self._run, self._name)
        finally:  # an interrupt may come when the thread runs already: a second one ends at once
            if not is_started:  # if it is, it may have ended already
                bell.is_heard = False
                bell.at_count = 1  # the next event tries again
            self._starter = 0
        return is_started

    def follow_patch(self) -> None:
        """Prepare to start a greenlet in place of the thread, if gevent or eventlet patched."""
        outdated = self._control.bell
        if outdated.is_outdated and not self.done.is_set:
            self._is_leaving = self._is_leaving or outdated.is_heard
            bell = Bell()
            self.done = bell.latch()
            self._control.bell = bell  # the last step: an interrupt before it, and all is repeated
            outdated.ring()

    def begin(self, claim: Claim) -> bool:
        """Take a turn to deliver; return false if another thread does, and goes on.

        The worker's thread waits for one that delivers for the length of a call.
        """
        while (other := self._turn.take(claim)) is not claim:
            if self._is_leaving:
                if self._control.past_deadline():
                    return False
            elif other.lasts or not claim.lasts:
                return False
            time.sleep(PAUSE)
        self._control.own_bell = self._control.bell
        return True

    def occupy(self, call: Callable[[], object]) -> None:
        """Call a function of the backend; signal handlers that interrupt it do not deliver."""
        claim = Claim()
        try:
            self._turn.take(claim)
            call()
        finally:
            claim.is_over = True

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller is a signal handler that interrupted a call which delivers."""
        return self._turn.is_interrupted

    def end(self) -> None:
        """Start no thread again; an event that is stored from now on is late."""
        self.done.set()
        bell = self._control.bell
        bell.is_heard = False
        bell.at_count = 1

    def leave(self, claim: Claim) -> None:
        """Let a greenlet deliver, once one is to be started."""
        bell = self._control.own_bell
        while self._control.bell is bell:
            bell.wait()
        claim.is_over = True
        self._is_leaving = False
