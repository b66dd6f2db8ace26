"""Events for the tests of stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from eventtracking_core import Event
from eventtracking_core.events import new_id

__all__ = ["make_event"]

NOON: Final = datetime(2026, 9, 12, 12, tzinfo=UTC)


def make_event(
    name: str = "shop.order.placed",
    *,
    at: datetime = NOON,
    context: dict[str, Any] | None = None,
    **data: Any,
) -> Event:
    """Return an event with a new id."""
    return {"id": new_id(), "name": name, "timestamp": at, "context": context or {}, "data": data}
