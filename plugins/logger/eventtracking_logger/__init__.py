"""Send events to a logger of Python's standard library, as text in JSON."""

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
