"""The type of loggers that emit events."""

from __future__ import annotations

from typing import Any, Protocol, Self

from structlog.typing import FilteringBoundLogger

__all__ = ["TrackingLogger"]


class TrackingLogger(FilteringBoundLogger, Protocol):
    """A structlog logger that also emits events: a type for the result of `structlog.get_logger`.

    Its logging methods have the additional argument `track`: the name of an event, or True if the
    line's message, without its arguments, is the name.
    """

    def emit(self, name: str | None = None, /, **data: Any) -> str:
        """Emit an event, whatever the level of the logger; return the event's id.

        Values bound to the logger and to structlog's contextvars become context.

        Args:
            name: the event's name, such as `org.area.verb`.
            data: the event's data.
        """
        ...

    def bind(self, **new_values: Any) -> Self:
        """Return a logger with additional bound values."""
        ...

    def unbind(self, *keys: str) -> Self:
        """Return a logger without some of the bound values.

        Raises:
            KeyError: a value is not bound; see `try_unbind`.
        """
        ...

    def try_unbind(self, *keys: str) -> Self:
        """Return a logger without some of the bound values, whether or not they are bound."""
        ...

    def new(self, **new_values: Any) -> Self:
        """Return a logger with only these values bound."""
        ...
