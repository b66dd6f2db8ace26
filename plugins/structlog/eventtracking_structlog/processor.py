"""A structlog processor that emits events, for loggers whose class can't be changed."""

from __future__ import annotations

from collections.abc import Collection

from structlog.typing import EventDict, WrappedLogger

from eventtracking_core import Tracker, get_tracker
from eventtracking_core.errors import require_lists
from eventtracking_structlog.bound import bound_contextvars
from eventtracking_structlog.emitting import OF_STRUCTLOG, emit, is_registered

__all__ = ["TrackProcessor"]


class TrackProcessor:
    """Emits an event for each line that requests it, and adds the event's id to the line.

    A line requests an event with `track="name"`, or with `track=True` if its message is the name.
    Put this processor before those that add fields, such as level and time: a processor can't
    distinguish the arguments of a call from values bound to the logger or added by processors.
    Values of structlog's contextvars and of the tracker's contexts become context; everything else
    becomes data.

    Lines that the logger filters by level reach no processor. Loggers of
    `structlog.make_filtering_bound_logger` interpolate the arguments of a message first: name the
    events of such lines, since `track=True` would create an event name for each value.

    Args:
        registered: emit an event for each line whose message is the name of a registered event
            type, unless it has an `event_id`.
        context: names of fields that become context although they are bound to the logger.
        tracker: the tracker; by default the current default tracker.
    """

    def __init__(
        self,
        *,
        registered: bool = False,
        context: Collection[str] = (),
        tracker: Tracker | None = None,
    ) -> None:
        require_lists(context=context)
        self._registered = registered
        self._context = frozenset(context)
        self._tracker = tracker

    def __call__(
        self, _logger: WrappedLogger, _method_name: str, event_dict: EventDict
    ) -> EventDict:
        """Emit an event if the line requests it; return the line."""
        requested = event_dict.pop("track", None)
        if requested is None and self._registered and "event_id" not in event_dict:
            tracker = get_tracker() if self._tracker is None else self._tracker
            requested = is_registered(tracker, event_dict.get("event"))
        if requested is not None and requested is not False:
            name = _message(event_dict) if requested is True else requested
            event_dict["event_id"] = self._emit(name, event_dict)
        return event_dict

    def _emit(self, name: object, line: EventDict) -> str:
        tracker = get_tracker() if self._tracker is None else self._tracker
        context = {**bound_contextvars(), **tracker.resolve_context()}
        bound = {key: line[key] for key in self._context if key in line}
        data = {
            key: value
            for key, value in line.items()
            if key not in OF_STRUCTLOG
            and key not in bound
            and not (key in context and context[key] is value)
        }
        return emit(tracker, name, data, bound)


def _message(line: EventDict) -> object:
    """Return a line's message; for a record of the standard library, without its arguments."""
    template = getattr(line.get("_record"), "msg", None)
    return template if isinstance(template, str) else line.get("event")
