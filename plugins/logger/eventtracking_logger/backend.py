"""The logger backend: one log record per event, whose message is the event in JSON."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Final

from eventtracking_core import ByteSize, Event, EventType, NoBackendEnabled
from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import encode_json
from eventtracking_core.events import clean_name
from eventtracking_logger.cutting import cut

__all__ = ["LoggerBackend"]

MIN_EVENT_SIZE: Final = 2048
"""Bytes: enough for an empty event with the longest name."""

_is_logging: Final = ContextVar("eventtracking_is_logging", default=False)


class LoggerBackend:
    """Logs each event to a logger of the standard library, as one line of JSON.

    The record also has the attributes `event_id` and `event_name`. The logging configuration
    decides where it goes.

    Args:
        name: the logger's name; not the root logger.
        level: the records' level, a name or a number.
        max_event_size: the maximum number of bytes of a line. For a larger event, a warning is
            logged and the longest fields of its context and data are cut. None means no limit.

    Raises:
        ValueError: the name is missing or the root logger's, the level is unknown, or
            `max_event_size` is below 2 KiB.
    """

    def __init__(
        self, name: str, level: str | int = "INFO", max_event_size: ByteSize | None = 65_536
    ) -> None:
        if name.strip() in {"", "root"}:
            raise ValueError("name must be the name of a logger, and not of the root logger")
        if max_event_size is not None and max_event_size < MIN_EVENT_SIZE:
            raise ValueError("max_event_size must be at least 2 KiB")
        self._logger = logging.getLogger(name)
        self._level = _level(level)
        self._max_event_size = max_event_size

    def send(self, event: Event) -> None:
        """Log an event.

        Raises:
            NoBackendEnabled: the logger is not enabled for the level, or a logging handler emitted
                the event while it handled another one.
        """
        self._check()
        self._log(self._text(event), {"event_id": event["id"], "event_name": event["name"]})

    def save_event_type(self, record: EventType) -> None:
        """Log an event-type record, as a line of its own kind: `{"event_type": {…}}`.

        Raises:
            NoBackendEnabled: as for `send`.
        """
        self._check()
        self._log(record.to_line(), {"event_type_id": record.id, "event_name": record.name})

    def _check(self) -> None:
        if self._logger.disabled:
            raise NoBackendEnabled(
                "the logger is disabled: name it in your logging configuration, or set"
                " disable_existing_loggers to False"
            )
        if not self._logger.isEnabledFor(self._level):
            raise NoBackendEnabled("the logger is not enabled for this level")
        if _is_logging.get():
            raise NoBackendEnabled("a logging handler emitted the event")

    def _log(self, text: str, extra: dict[str, str]) -> None:
        token = _is_logging.set(True)
        try:
            # Without arguments, logging does not apply %-formatting to the message.
            self._logger.log(self._level, text, extra=extra)
        finally:
            _is_logging.reset(token)

    def _text(self, event: Event) -> str:
        text = encode_json(event)
        if self._max_event_size is not None and len(text) > self._max_event_size:
            name = clean_name(event["name"])
            report(
                logging.WARNING,
                ("too large", self._logger.name, name),
                "event %s has %d bytes, more than max_event_size: its longest fields are cut",
                name,
                len(text),
            )
            text = cut(event, self._max_event_size)
        return text.decode()


def _level(level: str | int) -> int:
    names = logging.getLevelNamesMapping()
    number = names.get(level.upper(), 0) if isinstance(level, str) else level
    if number <= 0:
        raise ValueError(f"level must be a positive number, or one of: {', '.join(names)}")
    return number
