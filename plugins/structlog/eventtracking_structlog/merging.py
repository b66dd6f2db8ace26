"""A structlog processor that adds a tracker's contexts to every line."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from structlog.typing import EventDict, WrappedLogger

from eventtracking_core import Tracker, get_tracker
from eventtracking_structlog.emitting import OF_STRUCTLOG

__all__ = ["is_logging_event", "merge_tracker_context"]

is_logging_event: Final = ContextVar("eventtracking_structlog_is_logging_event", default=False)
"""Whether the current line is an event's, which has its own context."""


def merge_tracker_context(
    _logger: WrappedLogger, _method_name: str, event_dict: EventDict, tracker: Tracker | None = None
) -> EventDict:
    """Add the contexts entered on a tracker to a line: a processor for structlog.

    The line's own keys are kept. Values of context providers are not added, and lines of the
    backend `structlog` are unchanged, since they have their event's context.

    Args:
        event_dict: the line.
        tracker: for `functools.partial`; by default the current default tracker.
    """
    if is_logging_event.get():
        return event_dict
    entered = (get_tracker() if tracker is None else tracker).resolve_context()
    for key, value in entered.items():
        if type(key) is str and key not in OF_STRUCTLOG:
            event_dict.setdefault(key, value)
    return event_dict
