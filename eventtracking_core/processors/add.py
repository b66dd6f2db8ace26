"""Add fields to events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from eventtracking_core.encoding import snapshot
from eventtracking_core.processors._fields import Field, parse, readable

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Add"]


class Add:
    """Add fixed values to every event.

    Args:
        fields: the value of each dotted field: `{"context.environment": "staging"}`.
        overwrite: whether the value replaces one that is there. If a value on the path to the
            field is not a mapping, the field is not added.

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

    def _added(self, holder: object, field: Field, value: object) -> Any:
        """Return a copy of a mapping with the field added; any other value is unchanged."""
        key, *rest = field
        mapping = readable(holder)
        if not isinstance(mapping, Mapping):
            return holder
        if rest:
            return {**mapping, key: self._added(mapping.get(key, {}), tuple(rest), value)}
        if key in mapping and not self._overwrite:
            return holder
        # The value is ours: who changes an event must not change it for the next one.
        return {**mapping, key: snapshot(cast("Event", value))}
