"""Write events as JSON to a Python logger."""

from __future__ import annotations

import json
import logging
from typing import Any

from eventtracking_core import encoding
from eventtracking_core.diagnostics import report
from eventtracking_logger import DateTimeJSONEncoder

__all__ = ["DateTimeJSONEncoder", "LoggerBackend"]


class LoggerBackend:
    """Writes each event as one line of JSON.

    Args:
        name: of the logger.
        level: the name of its method, such as `info`.
        max_event_size: drop longer lines, with a warning; by default, none is dropped.
    """

    def __init__(
        self,
        name: str | None = None,
        level: str = "info",
        max_event_size: int | None = None,
        **_options: object,
    ) -> None:
        self.event_logger = logging.getLogger(name)
        self.max_event_size = max_event_size
        self._log = getattr(self.event_logger, level.lower())

    def send(self, event: Any) -> None:
        """Log an event."""
        try:
            text = json.dumps(event, cls=DateTimeJSONEncoder)
        except (TypeError, ValueError, RecursionError):  # an event that JSON cannot hold as it is
            text = json.dumps(encoding.normalize(event), cls=DateTimeJSONEncoder)
        if self.max_event_size is None or len(text) <= self.max_event_size:
            self._log("%s", text)
            return
        report(
            logging.WARNING,
            ("too large", self.event_logger.name),
            "logger %s: an event of %d characters is dropped, max_event_size is %d",
            self.event_logger.name,
            len(text),
            self.max_event_size,
        )
