"""Deadlines, as moments of the monotonic clock."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

__all__ = ["LONGEST", "bounded", "seconds_until", "wait_until"]

LONGEST: Final = 1_000_000.0
"""Seconds, eleven days: client libraries count milliseconds in 32 bits."""


def bounded(timeout: float) -> float:
    """Return a timeout that locks, selectors and client libraries take: at least 0, and finite."""
    return min(max(0.0, timeout), LONGEST)


def seconds_until(deadline: float) -> float:
    """Return the seconds that are left until a deadline, 0 once it has passed."""
    return max(0.0, deadline - monotonic())


def wait_until(condition: Callable[[], bool], deadline: float, pause: float) -> bool:
    """Look every `pause` seconds whether a condition is true; return whether it came in time."""
    while not condition():
        if monotonic() >= deadline:
            return False
        sleep(pause)
    return True
