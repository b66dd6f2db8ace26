"""The backend: one line an event, rendered as structlog is configured to."""

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
    """Logs each event with structlog: its name is the message of a line.

    The line has the fields `event_id`, `event_timestamp`, `context` and `data`, and those of the
    event's type where it has one. What becomes of it is for structlog's configuration to say, which
    may come before or after ours.

    Args:
        name: the logger's name, as `structlog.get_logger` takes it.
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
            NoBackendEnabled: the logger filters the level, or a processor or handler of the log
                emitted the event while it handled another one.
        """
        if is_logging_event.get():
            raise NoBackendEnabled("the log itself emitted the event")
        logger = self._logger.bind()
        if isinstance(logger, structlog.stdlib.AsyncBoundLogger):
            logger = logger.sync_bl
        if not _is_enabled(logger, _LEVELS[self._level]):
            raise NoBackendEnabled("the logger does not record this level")
        token = is_logging_event.set(True)
        try:
            # Processors may change what they are given; renderers fail on some of what events hold.
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
    """Tell whether a logger would log; one that cannot be asked does."""
    for method in ("is_enabled_for", "isEnabledFor"):
        # Asked of the type: a generic logger makes a method of any name.
        if hasattr(type(logger), method):
            try:
                answer: object = getattr(logger, method)(level)
            except AttributeError:  # it wraps no logger of the standard library
                return True
            return answer is not False
    return True
