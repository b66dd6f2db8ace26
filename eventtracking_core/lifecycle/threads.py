"""Threads and waiting for them, wherever an event may be emitted: in signal handlers too.

gevent and eventlet replace the threads and locks of a program, perhaps after this was imported. A
greenlet that waits for a lock of the system stops all others, so both are looked up when a thread
starts.
"""

from __future__ import annotations

import signal
import sys
import threading
from _thread import get_ident
from collections.abc import Callable
from contextlib import suppress
from sys import maxsize
from threading import TIMEOUT_MAX
from typing import Final

from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.lifecycle.postponing import uninterrupted

__all__ = [
    "ENDING_SIGNALS",
    "Bell",
    "Latch",
    "interpreter_ends",
    "start_daemon",
]


ENDING_SIGNALS: Final = frozenset(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)
"""Signals that supervisors and terminals send to end a process."""

LONGEST_WAIT: Final = 3600.0
"""Seconds after which who waits for a bell wakes: the system's clocks refuse longer waits."""


def interpreter_ends() -> bool:
    """Return whether the interpreter ends: threads cannot be started then; 3.11 would hang."""
    return not threading.main_thread().is_alive() or sys.is_finalizing()


@uninterrupted
def start_daemon(run: Callable[[], None], name: str) -> bool:
    """Run a function in a daemon thread of its own; return whether one could be started.

    Not interrupted: `threading` holds a lock meanwhile that no other thread can begin without.
    """
    if interpreter_ends():
        return False
    make_lock = threading.Lock

    def run_to_the_end() -> None:
        run()
        if threading.Lock is not make_lock:
            # The locks that a thread takes as it ends were replaced too, and belong to greenlets
            # of another thread: never end. Only a daemon may do so.
            end = make_lock()
            end.acquire()
            end.acquire()

    try:
        threading.Thread(target=run_to_the_end, name=name, daemon=True).start()
    except RuntimeError as error:  # there are as many as there may be
        pass_on(error)  # or `threading` lets go, after an interrupt, of a lock that it has not
        return False
    return True


class Bell:
    """Wakes the one thread that waits for it; rung before, it ends the next wait.

    Attributes:
        is_heard: whether there is such a thread; set where it is started and where it ends.
        at_count: the number of pending events at which an emitting thread rings. The thread sets it
            before it waits, and the first ring makes it unreachable.
        at_bytes: the number of their bytes at which it rings.
    """

    __slots__ = ("_lock", "_make_lock", "at_bytes", "at_count", "is_heard")

    def __init__(self) -> None:
        self.is_heard = False
        self.at_count = 1
        self.at_bytes = maxsize
        self._make_lock = threading.Lock
        self._lock = self._make_lock()
        self._lock.acquire()

    @property
    def is_outdated(self) -> bool:
        """Whether the locks of the program were replaced since it was made."""
        return threading.Lock is not self._make_lock

    def ring(self) -> bool:
        """End the wait that is going on, or the next one; return whether it is heard."""
        is_heard = self.is_heard and threading.Lock is self._make_lock
        if is_heard:
            self.at_count = self.at_bytes = maxsize
        try:  # noqa: SIM105  here, no call could be interrupted before the lock is released
            self._lock.release()
        except RuntimeError:  # it was rung before
            pass
        return is_heard

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is rung, for at most `timeout` seconds, or an hour.

        Return False if it is outdated then.
        """
        _acquire(self._lock, LONGEST_WAIT if timeout is None else min(timeout, LONGEST_WAIT))
        return threading.Lock is self._make_lock

    def latch(self) -> Latch:
        """Return a latch for the same kind of threads."""
        return Latch(self._make_lock)


class Latch:
    """A flag that is set once, and waited for.

    Unlike `threading.Event`, it may be waited for in a signal handler that interrupts a wait.

    Args:
        make_lock: makes a lock for the threads that set the flag and wait for it.
    """

    __slots__ = ("_lock", "is_set")

    def __init__(self, make_lock: Callable[[], threading.Lock]) -> None:
        self.is_set = False
        self._lock = make_lock()
        self._lock.acquire()

    def set(self) -> None:
        """Set the flag, and wake those who wait."""
        self.is_set = True
        with suppress(RuntimeError):  # it was set before
            self._lock.release()

    def wait(self, timeout: float) -> bool:
        """Wait until the flag is set, for at most `timeout` seconds; return whether it is."""
        if not self.is_set and _acquire(self._lock, timeout):
            with suppress(RuntimeError):
                self._lock.release()  # for the next one who waits
        return self.is_set


def _acquire(lock: threading.Lock, timeout: float) -> bool:
    """Acquire a lock; meanwhile, a thread other than the main one receives no ending signal.

    Python runs the handlers in the main thread, but a signal that another thread received does not
    end its waits. The system hands the second of two signals to any thread that takes it.
    """
    timeout = max(0.0, min(timeout, TIMEOUT_MAX))
    if (
        type(lock).__module__ != "_thread"  # a greenlet is in the main thread
        or get_ident() == threading.main_thread().ident
        or not hasattr(signal, "pthread_sigmask")
    ):
        return lock.acquire(timeout=timeout)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        return lock.acquire(timeout=timeout)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
