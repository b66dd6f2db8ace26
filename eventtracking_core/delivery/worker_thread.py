"""Which thread delivers: one at a time, started when there is work, and never twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final

from eventtracking_core._threads import Bell, Latch, start_daemon

if TYPE_CHECKING:
    from eventtracking_core.delivery.control import WorkerControl

__all__ = ["WorkerThread"]

PAUSE: Final = 0.01
"""Seconds between two looks whether a thread has let go."""


class WorkerThread:
    """The thread of a worker, and the greenlet that follows it.

    gevent and eventlet may replace the threads of a program when the thread runs already. What is
    theirs then, such as the locks of `logging`, stops a native thread; so it lets go,
    and the next event, flush or end starts a greenlet.

    Attributes:
        is_started: whether it is running, or about to.
        done: set when the worker has ended.
    """

    def __init__(self, name: str, control: WorkerControl) -> None:
        self._name = name
        self._control = control
        self._running = Lock()
        self._is_leaving = False
        self.is_started = False
        self.done: Latch = control.bell.latch()

    def start(self, run: Callable[[], None], prepare: Callable[[], object]) -> bool:
        """Start it, unless it runs or is about to; return whether that is so.

        Args:
            run: delivers, if `begin` says so.
            prepare: called before it starts.
        """
        self.follow_patch()
        if self.is_started:
            return True
        self.is_started = True
        is_started = False
        try:
            prepare()
            is_started = start_daemon(run, self._name)
        finally:  # an interrupt may come when the thread runs already: a second one ends at once
            self.is_started = is_started
        return is_started

    def follow_patch(self) -> None:
        """Let the thread go if gevent or eventlet replaced threads: a greenlet can be started."""
        outdated = self._control.bell
        if outdated.is_outdated and not self.done.is_set:
            self._is_leaving = self._is_leaving or self.is_started
            self.is_started = False
            bell = Bell()
            self.done = bell.latch()
            self._control.bell = bell  # the last step: an interrupt before it, and all is repeated
            outdated.ring()

    def begin(self) -> bool:
        """Become the one who delivers; return false if another thread does, and goes on."""
        while not self._running.acquire(blocking=False):
            if not self._is_leaving or self._control.past_deadline():
                return False
            time.sleep(PAUSE)
        self._control.own_bell = self._control.bell
        return True

    def end(self) -> None:
        """Let another thread deliver."""
        self._running.release()

    def leave(self) -> None:
        """Let a greenlet deliver, once one is to be started."""
        bell = self._control.own_bell
        while self._control.bell is bell:
            bell.wait()
        self._running.release()
        self._is_leaving = False
