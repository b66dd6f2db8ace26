"""Cut long texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from eventtracking_core.processors._fields import Budget, bounded, readable

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Truncate"]

MARK = "…"


class Truncate:
    """Cut texts in contexts and data that are longer than a limit, however deep they are.

    Args:
        max_length: characters that are kept, the closing `…` among them.

    Raises:
        ValueError: `max_length` is not positive.
    """

    mutates: ClassVar[bool] = False

    def __init__(self, max_length: int) -> None:
        if max_length < 1:
            raise ValueError("max_length must be positive")
        self._max_length = max_length

    def __call__(self, event: Event, /) -> Event:
        """Return the event with its long texts cut."""
        return bounded(self._event_cut, event)

    def _event_cut(self, event: Event, budget: Budget) -> Event:
        context, data = self._cut(event["context"], budget), self._cut(event["data"], budget)
        if context is event["context"] and data is event["data"]:
            return event
        return cast("Event", {**event, "context": context, "data": data})

    def _cut(self, value: Any, budget: Budget) -> Any:
        known = readable(value)
        if issubclass(type(value), str):  # an object may lie of its class
            text = str(known)
            return value if len(text) <= self._max_length else text[: self._max_length - 1] + MARK
        if isinstance(known, Mapping):
            next(budget)
            changed = {
                key: cut
                for key, item in known.items()
                if (cut := self._cut(item, budget)) is not item
            }
            return {**known, **changed} if changed else value
        if isinstance(known, list | tuple):
            next(budget)
            items = [self._cut(item, budget) for item in known]
            same = all(new is old for new, old in zip(items, known, strict=True))
            return value if same else items
        return value
