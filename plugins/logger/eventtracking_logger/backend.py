"""The backend: one log record an event, whose message is the event in JSON."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Final

from eventtracking_core import ByteSize, Event, RejectedError
from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import encode_json
from eventtracking_core.events import clean_name
from eventtracking_logger._shortening import shortened

__all__ = ["LoggerBackend"]

_MAX_DEPTH: Final = 2
"""A handler may emit, and so may a signal handler that interrupts one; what they lead to may not."""

_depth: Final[ContextVar[int]] = ContextVar("eventtracking_logger_depth", default=0)


class LoggerBackend:
    """Logs each event to a logger of the standard library, as one line of JSON.

    The record also has the attributes `event_id` and `event_name`. Where it goes is for the
    logging configuration to say: an event whose level the logger does not record counts as
    delivered, and that is logged once, as a warning.

    Args:
        name: the logger's name; the root logger is refused.
        level: the records' level, a name or a number.
        max_event_size: the most bytes of a line. The longest values of a larger event's context
            and data are cut, until it fits, and that is logged as a warning.

    Raises:
        ValueError: the name is missing or the root logger's, there is no such level, or
            `max_event_size` is not positive.
    """

    def __init__(
        self, name: str, level: str | int = "INFO", max_event_size: ByteSize = 65_536
    ) -> None:
        if name.strip() in {"", "root"}:
            raise ValueError("name must be a logger's, and not the root logger's")
        if max_event_size < 1:
            raise ValueError("max_event_size must be positive")
        self._logger = logging.getLogger(name)
        self._level = _level(level)
        self._max_event_size = max_event_size
        self._is_told = False

    def send(self, event: Event) -> None:
        """Log an event.

        Raises:
            RejectedError: handlers of the logger emit what they handle, again and again.
        """
        if not self._logger.isEnabledFor(self._level):
            self._tell()
            return
        depth = _depth.get()
        if depth >= _MAX_DEPTH:
            raise RejectedError("a handler of the logger emits events while it handles one")
        token = _depth.set(depth + 1)
        try:
            # Without arguments, the message is not subject to %-formatting.
            extra = {"event_id": event["id"], "event_name": event["name"]}
            self._logger.log(self._level, self._text(event), extra=extra)
        finally:
            _depth.reset(token)

    def _text(self, event: Event) -> str:
        text = encode_json(event)
        if len(text) > self._max_event_size:
            name = clean_name(event["name"])
            report(
                logging.WARNING,
                ("too large", self._logger.name, name),
                "event %s takes %d bytes, more than max_event_size: its longest values are cut",
                name,
                len(text),
            )
            text = shortened(event, self._max_event_size)
        return text.decode()

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            report(
                logging.WARNING,
                ("not enabled", self._logger.name),
                "logger %s is disabled, or its level is above %s: events are not recorded",
                self._logger.name,
                logging.getLevelName(self._level),
            )


def _level(level: str | int) -> int:
    names = logging.getLevelNamesMapping()
    number = names.get(level.upper(), 0) if isinstance(level, str) else level
    if number <= 0:
        raise ValueError(f"level must be a positive number, or one of: {', '.join(names)}")
    return number
