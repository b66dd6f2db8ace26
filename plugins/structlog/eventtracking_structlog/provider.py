"""What is bound to structlog's contextvars, in every event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_structlog.bound import bound_contextvars

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["StructlogContext"]


class StructlogContext:
    """Puts structlog's contextvars under every event's contexts: what `bind_contextvars` bound.

    Args:
        allow: the only ones to take; all, if not given.
        deny: those not to take.

    Raises:
        ValueError: one is in both lists.
    """

    def __init__(self, allow: list[str] | None = None, deny: list[str] | None = None) -> None:
        self._allow = None if allow is None else frozenset(allow)
        self._deny = frozenset(deny or ())
        if self._allow is not None and self._allow & self._deny:
            raise ValueError("what is in allow must not be in deny: take it out of one of them")

    def __call__(self) -> Context:
        """Return the values."""
        bound = bound_contextvars()
        if self._allow is None and not self._deny:
            return bound
        return {
            name: value
            for name, value in bound.items()
            if (self._allow is None or name in self._allow) and name not in self._deny
        }
