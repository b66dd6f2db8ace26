"""What the framework says of itself: the stdlib logger `eventtracking`, in bounded amounts.

Nothing of an event's payload and no option's value is ever logged: errors are described by their
type and place, unless they are ours or the operating system's.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from time import monotonic
from typing import Final

from eventtracking_core.errors import EventTrackingError

__all__ = ["describe", "logger", "report"]

logger: Final = logging.getLogger("eventtracking")

INTERVAL: Final = 20.0
"""Seconds in which a problem is logged once."""

MAX_KEYS: Final = 1000

# By problem: when it was last logged, and how often it came up since. Marked before it is logged,
# so that a log handler that emits, and fails in the same way, ends.
_seen: dict[object, tuple[float, int]] = {}


def report(level: int, key: object, message: str, *args: object) -> None:
    """Log a problem, at most once in 20 seconds for each key."""
    now = monotonic()
    last, hidden = _seen.get(key, (-INTERVAL, 0))
    if now - last < INTERVAL:
        _seen[key] = (last, hidden + 1)
        return
    if len(_seen) >= MAX_KEYS:
        _seen.clear()
    _seen[key] = (now, 0)
    if hidden:
        message += " (and %d times more in between)"
        args = (*args, hidden)
    with suppress(Exception):  # a log handler that fails must not reach the application
        logger.log(level, message, *args)


def describe(error: BaseException) -> str:
    """Return what can be said of an error without its payload: its type, and its place or text."""
    kind = type(error).__name__
    try:
        if isinstance(error, EventTrackingError):
            return f"{kind}: {error}".removesuffix(": ")
        if isinstance(error, OSError) and error.strerror:
            return f"{kind}: {error.strerror}"
    except Exception:  # noqa: BLE001  an error of somebody's own may not even be printed
        return kind
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return kind
    return f"{kind} at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
