"""The contexts of a tracker, in every line of the log."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from structlog.typing import EventDict, WrappedLogger

from eventtracking_core import Tracker, get_tracker
from eventtracking_structlog.emitting import OF_STRUCTLOG

__all__ = ["is_logging_event", "merge_tracker_context"]

is_logging_event: Final = ContextVar("eventtracking_structlog_is_logging_event", default=False)
"""Whether the line that is written is that of an event, which has its own context."""


def merge_tracker_context(
    _logger: WrappedLogger, _method_name: str, event_dict: EventDict, tracker: Tracker | None = None
) -> EventDict:
    """Add the contexts that are entered on a tracker to a line: a processor for structlog.

    What the line has already stays. What context providers say is not added, and nothing is to the
    lines of the backend `structlog`, which have the context of their event.

    Args:
        event_dict: the line.
        tracker: for `functools.partial`; the default tracker of each moment, if not given.
    """
    if is_logging_event.get():
        return event_dict
    entered = (get_tracker() if tracker is None else tracker).resolve_context()
    for key, value in entered.items():
        if type(key) is str and key not in OF_STRUCTLOG:
            event_dict.setdefault(key, value)
    return event_dict
