"""Give events and fields other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from eventtracking_core.processors._fields import parse, rewrite

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Rename"]


class Rename:
    """Rename events, and fields where they stand.

    Args:
        names: the new name of each event, by its old one.
        fields: the new last part of each dotted field: `{"context.uid": "user_id"}`.

    Raises:
        ValueError: a field lies neither below `context` nor below `data`.
    """

    mutates: ClassVar[bool] = False

    def __init__(
        self, names: dict[str, str] | None = None, fields: dict[str, str] | None = None
    ) -> None:
        self._names = dict(names or {})
        self._fields = [(parse(field), _renamer(new)) for field, new in (fields or {}).items()]

    def __call__(self, event: Event, /) -> Event:
        """Return the event under its new names."""
        if event["name"] in self._names:
            event = {**event, "name": self._names[event["name"]]}
        for field, change in self._fields:
            event = rewrite(event, field, change)
        return event


def _renamer(new: str) -> Any:
    def change(mapping: dict[str, Any], key: str) -> None:
        mapping[new] = mapping.pop(key)

    return change
