"""Waiting for a condition, and time limits that a busy machine does not break."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from threading import Event
from time import monotonic
from typing import Any, Final

__all__ = ["DEADLINE", "at_most", "exit_code", "wait_until"]

DEADLINE: Final = 90.0
"""Seconds in which a process starts, answers or ends, however busy the machine is."""


def wait_until(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Return once the condition holds; it is checked every few milliseconds.

    Raises:
        AssertionError: it did not hold in time.
    """
    deadline = monotonic() + seconds
    pause = Event()
    while not condition():
        assert monotonic() < deadline, f"the condition did not hold within {seconds} seconds"
        pause.wait(0.005)


def exit_code(process: Popen[Any], log: Path) -> int:
    """Return a process's exit code once it has ended.

    If it does not end, its session is aborted. Where its environment has `PYTHONFAULTHANDLER`, each
    process of the session then writes the stacks of its threads.

    Args:
        process: the first process of a session.
        log: where the session writes.

    Raises:
        AssertionError: it did not end in time; the message is its log.
    """
    with suppress(TimeoutExpired):
        return process.wait(DEADLINE)
    os.killpg(process.pid, signal.SIGABRT)
    process.wait()
    raise AssertionError(f"it did not end in {DEADLINE:g} s: {log.read_text(errors='replace')}")


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
