"""A context provider for structlog's contextvars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.errors import require_lists
from eventtracking_structlog.bound import bound_contextvars

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["StructlogContext"]


class StructlogContext:
    """Adds values bound with structlog's `bind_contextvars` to every event's context.

    Args:
        allow: the names to add; all by default.
        deny: the names not to add.

    Raises:
        ValueError: a name is in both lists.
    """

    def __init__(self, allow: list[str] | None = None, deny: list[str] | None = None) -> None:
        require_lists(allow=allow, deny=deny)
        self._allow = None if allow is None else frozenset(allow)
        self._deny = frozenset(deny or ())
        if self._allow is not None and self._allow & self._deny:
            raise ValueError("allow and deny have a name in common: remove it from one of them")

    def __call__(self) -> Context:
        """Return the bound values."""
        bound = bound_contextvars()
        if self._allow is None and not self._deny:
            return bound
        return {
            name: value
            for name, value in bound.items()
            if (self._allow is None or name in self._allow) and name not in self._deny
        }
