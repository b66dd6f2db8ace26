"""Locks for code that signal handlers interrupt, and interrupt by exceptions."""

from __future__ import annotations

import threading
import time
from itertools import starmap
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Claim", "ClaimLock", "call_into"]

T = TypeVar("T")

PAUSE: Final = 0.001
"""Seconds between two looks whether a lock is free."""


class Claim:
    """The identity under which a thread holds a lock; under gevent and eventlet, a greenlet.

    Args:
        lasts: whether the lock is held for longer than one call.

    Attributes:
        is_over: whether it holds nothing any more. Set it in the `finally` itself: a signal handler
            may be called where a function begins.
        followed_by: the claim that held the lock after it.
    """

    __slots__ = ("_thread", "followed_by", "is_over", "lasts")

    def __init__(self, *, lasts: bool = False) -> None:
        self._thread = threading.get_ident()
        self.lasts = lasts
        self.is_over = False
        self.followed_by: dict[None, Claim] = {}

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller is a signal handler that interrupted the call that made the claim."""
        return self._thread == threading.get_ident() and not (self.lasts or self.is_over)


class ClaimLock:
    """A lock that knows by which claim it is held.

    An exception of a signal handler may be raised after `Lock.acquire` has taken a lock and before
    it returns, so that nothing releases the lock. Here a `finally` around `take` or `wait` sets
    `claim.is_over`, which releases it if that claim holds it. A signal handler does not wait for
    the call that it interrupted.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = Claim()  # or one of those before the last
        self._last.is_over = True

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller, a signal handler, interrupted the call that holds it."""
        last = self._last
        while (following := last.followed_by.get(None)) is not None:
            last = following
        return last.is_interrupted

    def take(self, claim: Claim) -> Claim:
        """Acquire it if it is free; return the claim that holds it."""
        last = self._last
        while last.is_over:
            last = last.followed_by.setdefault(None, claim)  # one step
        self._last = last
        return last

    def wait(self, claim: Claim, deadline: float) -> bool:
        """Acquire it by a moment of the monotonic clock; return whether that was possible."""
        while (other := self.take(claim)) is not claim:
            if other.is_interrupted or monotonic() >= deadline:
                return False
            time.sleep(PAUSE)
        return True


def call_into(results: list[T], function: Callable[..., T], *args: object) -> None:
    """Call a function that is written in C, and append what it returns, in one step.

    An interrupt may strike when a call has returned and nothing has its result yet: a descriptor
    that nothing closes. Here the caller's `finally` finds it in the list.
    """
    results.extend(starmap(function, [args]))
