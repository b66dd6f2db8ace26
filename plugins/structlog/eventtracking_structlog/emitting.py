"""Emit an event from a log call: bound values become context, the call's arguments data."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from contextlib import nullcontext
from typing import Any, Final

from structlog.typing import Context

from eventtracking_core import InvalidEventError, Tracker, get_tracker
from eventtracking_core.diagnostics import report
from eventtracking_structlog.bound import bound_contextvars

__all__ = ["OF_STRUCTLOG", "emit", "is_registered", "track"]

OF_STRUCTLOG: Final = frozenset(
    {
        *("event", "exc_info", "stack_info", "stacklevel", "positional_args"),
        *("_record", "_from_structlog"),
        "track",
    }
)
"""Keys of a line that have a meaning for structlog or for us, and are no data."""

_NOTHING: Final = nullcontext()


def emit(tracker: Tracker | None, name: Any, data: dict[str, Any], bound: Context) -> str:
    """Emit an event with the values bound to the logger and to structlog's contextvars as context.

    Values bound to the logger override entered contexts, and these override the contextvars.

    Args:
        tracker: the tracker; by default the current default tracker.
        name: the event's name.
        data: the event's data.
        bound: the values bound to the logger.

    Raises:
        InvalidEventError: the tracker is strict, and the event would have caused a warning.
    """
    tracker = get_tracker() if tracker is None else tracker
    event_id = None
    try:
        context = bound_contextvars()
        if context:
            context.update(tracker.resolve_context())
        context.update(bound.copy())
        with tracker.context(context) if context else _NOTHING:
            event_id = tracker.emit(name, data)
    except InvalidEventError:
        raise
    except Exception as error:  # noqa: BLE001  from a custom context class or locator
        key = ("structlog", type(error))
        report(logging.ERROR, key, "an event lacks the bound values: %s", error)
    return tracker.emit(name, data) if event_id is None else event_id


def track(
    tracker: Tracker | None, message: object, arguments: MutableMapping[str, Any], bound: Context
) -> None:
    """Emit an event if the argument `track` of a log call requests it; add its id to the line.

    Args:
        tracker: as for `emit`.
        message: the line's message, the event's name if `track` is True.
        arguments: the keyword arguments of the call, with `track`, which is removed.
        bound: the values bound to the logger.
    """
    requested = arguments.pop("track")
    if requested is None or requested is False:
        return
    name = message if requested is True else requested
    data = {key: value for key, value in arguments.items() if key not in OF_STRUCTLOG}
    arguments["event_id"] = emit(tracker, name, data, bound)


def is_registered(tracker: Tracker, name: object) -> bool:
    """Return whether a name is the name of a registered event type."""
    return type(name) is str and tracker.event_types.get(name) is not None
