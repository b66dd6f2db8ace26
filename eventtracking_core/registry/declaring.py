"""Tell of event types that classes declare. Imports nothing, as every `import` comes here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eventtracking_core.registry.record import EventType

__all__ = ["declare", "listeners"]

listeners: Final[list[Callable[[EventType], object]]] = []


def declare(record: EventType) -> None:
    """Tell of a record that a class declares."""
    for listen in listeners:
        listen(record)
