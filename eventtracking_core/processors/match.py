"""Let events through, or drop them, by the values of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from eventtracking_core.encoding import normalize
from eventtracking_core.processors._fields import parse, values
from eventtracking_core.processors._filter import Filter

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Match"]


class Match(Filter):
    """Keep or drop the events in which every given field has a wanted value.

    Args:
        fields: the wanted value of each dotted field, or a list of them:
            `{"context.org_id": "edX", "data.success": ["correct", "partial"]}`.
        action: what to do with an event that matches.

    Raises:
        ValueError: there is no field, or one lies neither below `context` nor below `data`.
    """

    def __init__(self, fields: dict[str, Any], action: Literal["keep", "drop"] = "keep") -> None:
        if not fields:
            raise ValueError("fields must name at least one field")
        self._wanted = [
            (parse(field), wanted if isinstance(wanted, list) else [wanted])
            for field, wanted in fields.items()
        ]
        self._keeps = action == "keep"

    def passes(self, event: Event) -> bool:
        """Tell whether the event is one to keep."""
        matches = all(
            any(_is_one_of(value, wanted) for value in values(event, field))
            for field, wanted in self._wanted
        )
        return matches is self._keeps


def _is_one_of(value: object, wanted: list[Any]) -> bool:
    try:
        return value in wanted
    except Exception:  # noqa: BLE001  a value of somebody's own may not compare
        return normalize(value) in wanted
