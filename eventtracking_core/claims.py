"""Locks for code that signal handlers interrupt, and interrupt by exceptions."""

from __future__ import annotations

import threading
import time
from time import monotonic
from typing import Final

__all__ = ["Claim", "ClaimLock"]

PAUSE: Final = 0.001
"""Seconds between two looks whether a lock is free."""


class Claim:
    """The identity under which a thread holds a lock; under gevent and eventlet, a greenlet.

    Args:
        lasts: whether the lock is held for longer than one call.
    """

    __slots__ = ("_thread", "lasts")

    def __init__(self, *, lasts: bool = False) -> None:
        self._thread = threading.get_ident()
        self.lasts = lasts

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller is a signal handler that interrupted the call that made the claim."""
        return self._thread == threading.get_ident() and not self.lasts


class ClaimLock:
    """A lock that knows by which claim it is held.

    An exception of a signal handler may be raised after `Lock.acquire` has taken a lock and before
    it returns, so that nothing releases the lock. Here `end`, in a `finally` around `take` or
    `wait`, releases it if that claim holds it. A signal handler does not wait for the call that it
    interrupted.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[str, Claim] = {}

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller, a signal handler, interrupted the call that holds it."""
        claim = self._held.get("by")
        return claim is not None and claim.is_interrupted

    def take(self, claim: Claim) -> Claim:
        """Acquire it if it is free; return the claim that holds it."""
        return self._held.setdefault("by", claim)  # one step

    def wait(self, claim: Claim, deadline: float) -> bool:
        """Acquire it by a moment of the monotonic clock; return whether that was possible."""
        while (other := self.take(claim)) is not claim:
            if other.is_interrupted or monotonic() >= deadline:
                return False
            time.sleep(PAUSE)
        return True

    def end(self, claim: Claim) -> None:
        """Free it if this claim holds it."""
        if self._held.get("by") is claim:
            self._held.clear()
