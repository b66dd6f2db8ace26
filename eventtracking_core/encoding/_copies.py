"""Copies of events: dicts and lists are copied, what cannot change is shared."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventtracking_core.events import Event

__all__ = ["snapshot"]

MAX_CONTAINERS: Final = 20_000
_CONTAINERS: Final = frozenset({dict, list, tuple, set, bytearray})


def snapshot(event: Event) -> Event:
    """Return a copy of an event that shares no dict, list, set or bytearray with it.

    Objects of other types are shared. What is too deep or too large for a copy, or refers to
    itself, comes back in its normal form.
    """
    try:
        return cast("Event", _copy(event, repeat(None, MAX_CONTAINERS)))
    except (RecursionError, StopIteration):
        from eventtracking_core.encoding._normal import normalize_event  # noqa: PLC0415  rare

        return normalize_event(event)


def _copy(value: Any, budget: Iterator[None]) -> Any:
    next(budget)  # parts that are shared a thousand times would be copied as often
    kind = type(value)
    if kind is dict:
        # Copying first is one step for other threads; replacing a key's value keeps the size.
        mapping = value.copy()
        for key, item in mapping.items():
            if type(item) in _CONTAINERS:
                mapping[key] = _copy(item, budget)
        return mapping
    if kind is list or kind is tuple:
        items = [_copy(item, budget) if type(item) in _CONTAINERS else item for item in value]
        return items if kind is list else tuple(items)
    return value.copy() if kind in _CONTAINERS else value
