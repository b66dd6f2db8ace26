"""Waiting for a condition, and time limits that a busy machine does not break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic

__all__ = ["at_most", "wait_until"]


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Return once the condition holds; it is checked every few milliseconds.

    Raises:
        AssertionError: it did not hold in time.
    """
    deadline = monotonic() + seconds
    pause = Event()
    while not condition():
        assert monotonic() < deadline, f"the condition did not hold within {seconds} seconds"
        pause.wait(0.005)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Check that a block takes no longer, apart from time in which no processor was free for us."""
    began, delayed = monotonic(), _delay()
    yield
    took = monotonic() - began
    excused = max(0.0, _delay() - delayed)
    assert took - excused <= seconds, f"{took:.3f} seconds, {excused:.3f} of them excused"


def _delay() -> float:
    """Return the seconds in which threads of this process were ready and had no processor."""
    nanoseconds = 0
    for task in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has ended
            nanoseconds += int(task.read_text().split()[1])
    return nanoseconds / 1e9
