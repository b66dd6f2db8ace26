"""Turns of threads that append all the time, so that each waits rarely and not for each event.

Writing releases the interpreter's lock. Threads that write one event each, one after the other,
spend most of their time on waking each other, and wait for every other thread that runs. A thread
that goes on for some milliseconds while the others wait here has the lock and the interpreter to
itself.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic
from typing import Final

__all__ = ["Turns"]

TURN: Final = 0.008
"""The most seconds of a turn while others wait."""

ROUND: Final = 0.04
"""The most seconds in which each of the threads that wait has its turn."""

WAITS: Final = 0.05
"""The most seconds that a thread waits, before it appends all the same."""

LOOKS_AFTER: Final = 0.0005
"""Seconds without an event after which the next thread ends a turn."""

COLLISIONS: Final = 16
"""How often in a row a thread finds another one appending before it takes part."""

APART: Final = 0.001
"""The most seconds between two such collisions in a row."""

MAX_PACES: Final = 256
"""Threads whose collisions are counted; if there are more, some have ended: all are forgotten."""


class _Waiting:
    """A thread that waits."""

    __slots__ = ("_wakes", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._wakes = Lock()
        self._wakes.acquire()

    def wait(self, timeout: float) -> None:
        """Wait until `wake` is called, for at most `timeout` seconds."""
        self._wakes.acquire(timeout=timeout)

    def wake(self) -> None:
        """Let the thread look whether it may go on."""
        try:
            self._wakes.release()
        except RuntimeError:  # it was woken already
            return


class _Pace:
    """How often a thread met others lately."""

    __slots__ = ("collided", "collisions")

    def __init__(self) -> None:
        self.collided = 0.0
        self.collisions = 0


class Turns:
    """Which thread waits before it appends.

    This is a matter of speed alone, since a lock guards what is appended to. A thread takes part
    once it has met others often; until then, and whenever it has waited for long, the lock decides.
    """

    __slots__ = ("_ends", "_last", "_paces", "_waiting", "holder", "inside", "writer")

    def __init__(self) -> None:
        self.writer = 0
        """The thread that is appending, for the one that has the lock; or 0."""
        self.inside = 0
        """How many threads are appending or wait for the lock."""
        self.holder = 0
        """The thread whose turn it is; or 0."""
        self._waiting: deque[_Waiting] = deque()
        self._last = 0.0
        self._ends = 0.0
        self._paces: dict[int, _Pace] = {}

    def enter(self, thread: int) -> None:
        """Wait for a thread's turn, if it takes part; call this before it appends.

        It is needless if no thread is inside and no other one has a turn.
        """
        pace = self._paces.get(thread)
        if pace is None or pace.collisions < COLLISIONS:
            if self.inside:
                self._collide(thread)
        elif thread not in {self.holder, self.writer}:  # a signal handler appends in its turn
            self._wait(thread)
            self._begin(thread)

    def leave(self) -> None:
        """End the holder's turn if its time is up; call this after each of its events."""
        self._last = monotonic()
        if self._last >= self._ends:
            following = tuple(self._waiting)[:1]
            self.holder = 0
            for each in following:
                self.holder = each.thread
                each.wake()

    def _begin(self, thread: int) -> None:
        self.holder = thread
        self._last = monotonic()
        self._ends = self._last + min(TURN, ROUND / (len(self._waiting) + 1))

    def _collide(self, thread: int) -> None:
        pace, now = self._paces.get(thread), monotonic()
        if pace is None:
            if len(self._paces) >= MAX_PACES:
                self._paces = {}
            pace = self._paces[thread] = _Pace()
        pace.collisions = pace.collisions + 1 if now - pace.collided < APART else 1
        pace.collided = now

    def _wait(self, thread: int) -> None:
        waiting, entry = self._waiting, _Waiting(thread)
        until = monotonic() + WAITS
        waiting.append(entry)
        try:
            while self.holder not in {0, thread} and monotonic() < until:
                is_next, last = waiting[0] is entry, self._last
                entry.wait(LOOKS_AFTER if is_next else WAITS)
                if is_next and last == self._last and not self.writer:
                    self._paces.pop(self.holder, None)  # it does something else now
                    self.holder = 0
        finally:
            waiting.remove(entry)
            for each in tuple(waiting)[:1]:
                each.wake()  # it is the next one now
