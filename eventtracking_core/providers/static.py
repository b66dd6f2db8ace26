"""Values that are the same for every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["Static"]


class Static:
    """Puts fixed values under every event's contexts.

    Args:
        values: the values, by field name.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = dict(values)

    def __call__(self) -> Context:
        """Return the values."""
        return self._values
