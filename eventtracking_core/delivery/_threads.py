"""Threads and waiting for them, wherever an event may be emitted: in signal handlers too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from threading import TIMEOUT_MAX, Lock, Thread, main_thread

__all__ = ["Latch", "start_daemon"]


def start_daemon(run: Callable[[], None], name: str) -> bool:
    """Run a function in a daemon thread of its own; tell whether one could be started."""
    # Once the interpreter ends, threads cannot be started: 3.11 would hang.
    if not main_thread().is_alive() or sys.is_finalizing():
        return False
    try:
        Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:  # there are as many as there may be
        return False
    return True


class Latch:
    """A flag that is set once, and waited for.

    Unlike `threading.Event`, it may be waited for in a signal handler that interrupts a wait.
    """

    __slots__ = ("_lock", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._lock = Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Set the flag, and wake those who wait."""
        self.is_set = True
        with suppress(RuntimeError):  # it was set before
            self._lock.release()

    def wait(self, timeout: float) -> bool:
        """Wait until the flag is set, for at most `timeout` seconds; return whether it is."""
        if not self.is_set and self._lock.acquire(timeout=max(0.0, min(timeout, TIMEOUT_MAX))):
            with suppress(RuntimeError):
                self._lock.release()  # for the next one who waits
        return self.is_set
