"""The id of the event that is being routed: backends receive events without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, cast

from eventtracking_core import Event
from eventtracking_core.events import new_id
from eventtracking_core.routing.parts import part_id

__all__ = ["current_id", "native_events", "routing"]

_current: Final[ContextVar[str | None]] = ContextVar("eventtracking_compat_id", default=None)


@contextmanager
def routing(event_id: str) -> Iterator[None]:
    """Give the event that is routed inside the block an id."""
    token = _current.set(event_id)
    try:
        yield
    finally:
        _current.reset(token)


def current_id() -> str:
    """Return the id of the event that is being routed, or a new one."""
    return _current.get() or new_id()


def native_events(event: object) -> list[Event]:
    """Return what a router sends, an event or a list of events, as events of the core."""
    event_id = current_id()
    if isinstance(event, list | tuple):
        return [_native(part, part_id(event_id, place)) for place, part in enumerate(event)]
    return [_native(event, event_id)]


def _native(event: object, event_id: str) -> Event:
    if isinstance(event, Mapping):
        fields = dict(event) if "name" in event else {"data": dict(event)}
    else:
        fields = {"data": {"value": event}}
    native: dict[str, Any] = {
        "name": "unknown",
        "timestamp": datetime.now(UTC),
        "context": {},
        "data": {},
        **fields,
        "id": event_id,
    }
    return cast("Event", native)
