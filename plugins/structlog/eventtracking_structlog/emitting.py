"""Emitting from a log call: what is bound becomes context, what is said becomes data."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from contextlib import nullcontext
from typing import Any, Final

from structlog.typing import Context

from eventtracking_core import InvalidEventError, Tracker, get_tracker
from eventtracking_core.diagnostics import describe, report
from eventtracking_structlog.bound import bound_contextvars

__all__ = ["OF_STRUCTLOG", "emit", "is_registered", "track"]

OF_STRUCTLOG: Final = frozenset(
    {
        *("event", "exc_info", "stack_info", "stacklevel", "positional_args"),
        *("_record", "_from_structlog"),
        "track",
    }
)
"""Keys of a line that are not the application's, but mean something on the way to the log."""

_NOTHING: Final = nullcontext()


def emit(tracker: Tracker | None, name: Any, data: dict[str, Any], bound: Context) -> str:
    """Emit an event whose context has what is bound to the logger, and to structlog's contextvars.

    What is bound to the logger wins over the contexts that were entered, and those over the
    contextvars.

    Args:
        tracker: the one to emit on; the default one of this moment, if not given.
        name: the event's name.
        data: the event's data.
        bound: what is bound to the logger.

    Raises:
        InvalidEventError: the tracker is strict, and something would have been a warning.
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
    except Exception as error:  # noqa: BLE001  a context class or a locator of somebody's own
        key = ("structlog", type(error))
        report(logging.ERROR, key, "bound values are not in an event: %s", describe(error))
    return tracker.emit(name, data) if event_id is None else event_id


def track(
    tracker: Tracker | None, message: object, said: MutableMapping[str, Any], bound: Context
) -> None:
    """Do what the argument `track` of a log call asks for; the line gets the event's id instead.

    Args:
        tracker: as `emit` takes it.
        message: the line's, which is the event's name where `track` is True.
        said: the arguments of the call, `track` among them.
        bound: what is bound to the logger.
    """
    asked = said.pop("track")
    if asked is None or asked is False:
        return
    name = message if asked is True else asked
    data = {key: value for key, value in said.items() if key not in OF_STRUCTLOG}
    said["event_id"] = emit(tracker, name, data, bound)


def is_registered(tracker: Tracker, name: object) -> bool:
    """Tell whether a name is that of a registered event type."""
    return type(name) is str and tracker.event_types.get(name) is not None
