"""Tracking for those who cannot change the class of their loggers."""

from __future__ import annotations

from collections.abc import Collection

from structlog.typing import EventDict, WrappedLogger

from eventtracking_core import Tracker, get_tracker
from eventtracking_structlog.bound import bound_contextvars
from eventtracking_structlog.emitting import OF_STRUCTLOG, emit, is_registered

__all__ = ["TrackProcessor"]


class TrackProcessor:
    """Emits an event for each line that asks for it, and adds the event's id to the line.

    A line asks with `track="name"`, or with `track=True`, which makes its message the name. Put
    the processor before those that add fields of their own, such as level and time: a processor
    cannot tell what was said in a call from what was bound to the logger or added on the way. What
    structlog's contextvars and the tracker's contexts hold is context, everything else is data.

    Lines that the logger filters by level do not reach any processor. Loggers of
    `structlog.make_filtering_bound_logger` put the arguments of a message into it before: name the
    events of such lines, as `track=True` would make an event type of each value.

    Args:
        registered: emit an event for any line whose message is the name of a registered event
            type, unless it has an `event_id`.
        context: names of fields that are context although they are bound to the logger.
        tracker: the one to emit on; the default tracker of each moment, if not given.
    """

    def __init__(
        self,
        *,
        registered: bool = False,
        context: Collection[str] = (),
        tracker: Tracker | None = None,
    ) -> None:
        self._registered = registered
        self._context = frozenset(context)
        self._tracker = tracker

    def __call__(
        self, _logger: WrappedLogger, _method_name: str, event_dict: EventDict
    ) -> EventDict:
        """Emit, if the line asks for it; return the line."""
        asked = event_dict.pop("track", None)
        if asked is None and self._registered and "event_id" not in event_dict:
            tracker = get_tracker() if self._tracker is None else self._tracker
            asked = is_registered(tracker, event_dict.get("event"))
        if asked is not None and asked is not False:
            name = _message(event_dict) if asked is True else asked
            event_dict["event_id"] = self._emit(name, event_dict)
        return event_dict

    def _emit(self, name: object, line: EventDict) -> str:
        tracker = get_tracker() if self._tracker is None else self._tracker
        around = {**bound_contextvars(), **tracker.resolve_context()}
        bound = {key: line[key] for key in self._context if key in line}
        data = {
            key: value
            for key, value in line.items()
            if key not in OF_STRUCTLOG
            and key not in bound
            and not (key in around and around[key] is value)
        }
        return emit(tracker, name, data, bound)


def _message(line: EventDict) -> object:
    """Return the message of a line; of a record of the standard library, without its arguments."""
    template = getattr(line.get("_record"), "msg", None)
    return template if isinstance(template, str) else line.get("event")
