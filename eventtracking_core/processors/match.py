"""Let events through, or drop them, by the values of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from eventtracking_core.encoding import id_text, normalize
from eventtracking_core.errors import EventEmissionExit
from eventtracking_core.processors._fields import parse, values
from eventtracking_core.processors._filter import Filter

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Match"]


class Match(Filter):
    """Keep or drop the events in which every given field has a wanted value.

    Args:
        fields: the wanted value of each dotted field, or a list of them:
            `{"context.org_id": "edX", "data.success": ["correct", "partial"]}`. Ids and numbers are
            compared by their text: `5`, `5.0` and `"5"` are the same.
        action: what to do with an event that matches.

    Raises:
        ValueError: there is no field, or one lies neither below `context` nor below `data`.
    """

    def __init__(self, fields: dict[str, Any], action: Literal["keep", "drop"] = "keep") -> None:
        if not fields:
            raise ValueError("fields must name at least one field")
        self._wanted = [
            (parse(field), _Wanted(wanted if isinstance(wanted, list) else [wanted]))
            for field, wanted in fields.items()
        ]
        self._keeps = action == "keep"

    def __call__(self, event: Event, /) -> None:
        """Let the event pass if it is one to keep."""
        matches = all(any(map(wanted.has, values(event, field))) for field, wanted in self._wanted)
        if matches is not self._keeps:
            raise EventEmissionExit


class _Wanted:
    """The values that a field may have; ids and numbers are compared by their text."""

    def __init__(self, wanted: list[Any]) -> None:
        self._texts = {id_text(value) for value in wanted} - {None}
        self._others = [normalize(value) for value in wanted if id_text(value) is None]

    def has(self, value: object) -> bool:
        """Return whether a value is one of them."""
        text = value if type(value) is str else id_text(value)
        return text in self._texts if text is not None else normalize(value) in self._others
