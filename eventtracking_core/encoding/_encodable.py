"""Copies of events that an encoder in C can take, where it cannot take the events themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from operator import is_, length_hint
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.encoding._checks import (
    CONVERTED,
    DATETIME,
    FLAT,
    LISTS,
    MANY,
    MAX_WEIGHT,
    MEMBERS,
    TAKEN,
    is_converted,
    is_heavy,
    seen_context,
    weight,
)
from eventtracking_core.encoding._compiled import plain_copy
from eventtracking_core.encoding._converters import opener
from eventtracking_core.events import FIELDS, as_utc, real

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["copied", "encodable"]

_Copy = Callable[[Any, Callable[[Any, Any], Any], Callable[[Any], Any]], Any]

_EPOCH: Final = real(datetime)(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)


def encodable(event: Event, weighs: int, convert: Callable[[Any], Any]) -> Event | None:
    """Return an event that an encoder in C can take: the event itself, or a copy of it.

    Args:
        event: the event.
        weighs: its `quick_weight`.
        convert: returns the plain form of a value; raises an error where something is lost.

    Returns:
        None for an event that has to be normalized.
    """
    if weighs < 0:
        weighs = weight(event)
        if weighs <= MAX_WEIGHT:
            return event
    if is_heavy(weighs):
        return None
    context, data = event["context"], event["data"]
    if context is seen_context[0] and len(event) == FIELDS:  # nothing in it has to be replaced
        copy = event.copy()
        copy["data"] = _copy(data, copied, convert)
    else:
        copy = cast("Event", _copy(event, copied, convert))
    return copy if weighs < CONVERTED or weight(copy) <= MAX_WEIGHT else None


def copied(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return a value of bounded weight as encoders can take it: itself, or a copy."""
    kind = type(value)
    if kind is dict:
        if len(value) > MANY:
            return _copy_of_many(value.copy(), convert)
        copy = None
        for key, item in value.items():
            if type(item) not in FLAT and (new := copied(item, convert)) is not item:
                copy = copy or value.copy()
                copy[key] = new
        return copy or value
    if kind in LISTS:
        if FLAT.issuperset(map(type, value)):
            return value
        items = [
            item
            if type(item) in FLAT or (type(item) in DATETIME and item.tzinfo is UTC)
            else copied(item, convert)
            for item in value
        ]
        return value if all(map(is_, items, value)) else items
    if kind in DATETIME and value.tzinfo is not UTC:
        # Half the time of `replace`.
        return _EPOCH + (value - _NAIVE_EPOCH) if value.tzinfo is None else as_utc(value)
    return value if kind in TAKEN else _copied_scalar(value, kind, convert)


def _copy_of_many(copy: dict[Any, Any], convert: Callable[[Any], Any]) -> dict[Any, Any]:
    """Return the copy of a dict of many values, most of which need no look of Python."""
    keys, values = list(copy), list(copy.values())
    rest = iter(values)
    while not FLAT.issuperset(map(type, rest)):
        index = -1 - length_hint(rest)
        copy[keys[index]] = copied(values[index], convert)
    return copy


def _copied_scalar(value: Any, kind: type, convert: Callable[[Any], Any]) -> Any:
    if issubclass(kind, Enum):
        return value if type(value._value_) in MEMBERS else convert(value)
    open_container = opener(kind)
    if open_container is not None:
        return copied(open_container(value), convert)
    if not is_converted(kind):
        return convert(value)
    return str.__str__(value) if issubclass(kind, str) else value


_copy: Final[_Copy] = plain_copy or (lambda value, other, convert: other(value, convert))
"""The fastest `copied` there is."""
