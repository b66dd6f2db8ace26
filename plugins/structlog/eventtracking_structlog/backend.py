"""The structlog backend: one line per event, rendered by structlog's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import structlog

from eventtracking_core import Event, NoBackendEnabled
from eventtracking_core.encoding import normalize_event
from eventtracking_structlog.merging import is_logging_event

__all__ = ["StructlogBackend"]

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class StructlogBackend:
    """Logs each event with structlog, with its name as the message of a line.

    The line has the fields `event_id`, `event_timestamp`, `context` and `data`, and the ids of the
    event's type if it has one. Structlog's configuration decides where it goes, and may be set
    before or after ours.

    Args:
        name: the logger's name, an argument of `structlog.get_logger`.
        level: the lines' level.
    """

    def __init__(
        self,
        name: str = "tracking",
        level: Literal["debug", "info", "warning", "error", "critical"] = "info",
    ) -> None:
        self._logger = structlog.get_logger(name)
        self._level = level

    def send(self, event: Event) -> None:
        """Log an event.

        Raises:
            NoBackendEnabled: the logger filters the level, or a structlog processor or a logging
                handler emitted the event while it handled another one.
        """
        if is_logging_event.get():
            raise NoBackendEnabled("the log itself emitted the event")
        logger = self._logger.bind()
        if isinstance(logger, structlog.stdlib.AsyncBoundLogger):
            logger = logger.sync_bl
        if not _is_enabled(logger, _LEVELS[self._level]):
            raise NoBackendEnabled("the logger is not enabled for this level")
        token = is_logging_event.set(True)
        try:
            # Normalised, since processors may change the line, and renderers fail on some types.
            getattr(logger, self._level)(event["name"], **_line(normalize_event(event)))
        finally:
            is_logging_event.reset(token)


def _line(event: Event) -> dict[str, Any]:
    fields: Mapping[str, Any] = event
    types = {key: fields[key] for key in ("name_id", "context_type_id") if key in fields}
    return {
        "event_id": event["id"],
        "event_timestamp": event["timestamp"].isoformat().replace("+00:00", "Z"),
        **types,
        "context": event["context"],
        "data": event["data"],
    }


def _is_enabled(logger: Any, level: int) -> bool:
    """Return whether a logger is enabled for a level; True if it can't tell."""
    for method in ("is_enabled_for", "isEnabledFor"):
        # Looked up on the type: a generic logger returns a method for any name.
        if hasattr(type(logger), method):
            try:
                answer: object = getattr(logger, method)(level)
            except AttributeError:  # it wraps no logger of the standard library
                return True
            return answer is not False
    return True
