"""Deadlines, as moments of the monotonic clock."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

__all__ = ["seconds_until", "wait_until"]


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
