"""The type of a logger that tracks."""

from __future__ import annotations

from typing import Any, Protocol, Self

from structlog.typing import FilteringBoundLogger

__all__ = ["TrackingLogger"]


class TrackingLogger(FilteringBoundLogger, Protocol):
    """A logger of structlog that also emits events: annotate what `structlog.get_logger` returns.

    Its logging methods take the argument `track` besides: the name of an event, or True where the
    line's message is the name, without its arguments.
    """

    def emit(self, name: str | None = None, /, **data: Any) -> str:
        """Say what happened, whatever the level of the logger; return the event's id.

        What is bound to the logger and to structlog's contextvars becomes context.

        Args:
            name: what happened, in the manner of `org.area.verb`.
            data: its fields.
        """
        ...

    def bind(self, **new_values: Any) -> Self:
        """Return a logger with more values bound to it."""
        ...

    def unbind(self, *keys: str) -> Self:
        """Return a logger without some of the values; raises `KeyError` for one that is not bound.

        See `try_unbind`.
        """
        ...

    def try_unbind(self, *keys: str) -> Self:
        """Return a logger without some of the values."""
        ...

    def new(self, **new_values: Any) -> Self:
        """Return a logger with these values alone."""
        ...
