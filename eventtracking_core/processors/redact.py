"""Remove fields that must not leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from eventtracking_core.processors._fields import parse, rewrite

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Redact"]


class Redact:
    """Remove fields from events, or replace their values. Fails closed.

    Args:
        fields: dotted fields: `["context.ip", "data.user.email"]`. Through lists they reach into
            each element; keys that have dots themselves are found too.
        replacement: stands in the field's place; without one the field is removed.

    Raises:
        ValueError: a field lies neither below `context` nor below `data`.
    """

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"

    def __init__(self, fields: list[str], replacement: str | None = None) -> None:
        self._fields = [parse(field) for field in fields]
        self._replacement = replacement

    def __call__(self, event: Event, /) -> Event:
        """Return the event without the fields."""
        for field in self._fields:
            event = rewrite(event, field, self._redact)
        return event

    def _redact(self, mapping: dict[str, Any], key: str) -> None:
        if self._replacement is None:
            del mapping[key]
        else:
            mapping[key] = self._replacement
