"""Add fields to events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from eventtracking_core.encoding import normalize
from eventtracking_core.processors._fields import Field, parse

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Add"]


class Add:
    """Add fixed values to every event.

    Args:
        fields: the value of each dotted field: `{"context.environment": "staging"}`.
        overwrite: whether the value replaces one that is there.

    Raises:
        ValueError: a field lies neither below `context` nor below `data`.
    """

    mutates: ClassVar[bool] = False

    def __init__(self, fields: dict[str, Any], overwrite: bool = False) -> None:  # noqa: FBT001, FBT002
        self._fields = [(parse(field), value) for field, value in fields.items()]
        self._overwrite = overwrite

    def __call__(self, event: Event, /) -> Event:
        """Return the event with the fields added."""
        for field, value in self._fields:
            event = cast("Event", self._added(event, field, value))
        return event

    def _added(self, mapping: Any, field: Field, value: object) -> dict[str, Any]:
        key, *rest = field
        copy: dict[str, Any] = dict(mapping if isinstance(mapping, dict) else normalize(mapping))
        if rest:
            inner = copy.get(key)
            copy[key] = self._added(inner if isinstance(inner, dict) else {}, tuple(rest), value)
        elif self._overwrite or key not in copy:
            copy[key] = value
        return copy
