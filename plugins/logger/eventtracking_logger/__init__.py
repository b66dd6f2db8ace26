"""Log events as JSON through the standard library's logging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core import hookimpl
from eventtracking_core.lazy import lazy
from eventtracking_logger.encoder import DateTimeJSONEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventtracking_core import Backend
    from eventtracking_logger.backend import LoggerBackend

__all__ = ["DateTimeJSONEncoder", "LoggerBackend"]

# The encoder is used alone, too, by applications that import no more. `dir` shows the hooks.
__getattr__, _ = lazy(__name__, "backend")


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., Backend]]:
    """Return the backend's factory by its type name."""
    from eventtracking_logger.backend import LoggerBackend  # noqa: PLC0415  costs imports

    return {"logger": LoggerBackend}
