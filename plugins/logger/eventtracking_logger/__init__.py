"""Log events as JSON through the standard library's logging."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventtracking_core import Backend, hookimpl
from eventtracking_logger.backend import LoggerBackend
from eventtracking_logger.encoder import DateTimeJSONEncoder

__all__ = ["DateTimeJSONEncoder", "LoggerBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., Backend]]:
    """Return the backend's factory by its type name."""
    return {"logger": LoggerBackend}
