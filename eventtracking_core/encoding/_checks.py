"""Whether an event can go straight to an encoder in C, or needs its normal form first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from operator import is_
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from eventtracking_core.encoding._plain import by_type, field_names, is_proxy, reader
from eventtracking_core.events import as_utc, real

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["MAX_DEPTH", "MAX_TEXT", "MAX_WEIGHT", "encodable", "is_normal", "weight"]

MAX_TEXT: Final = 256 * 1024
MAX_DEPTH: Final = 64
FIELDS: Final = 5
"""How many an event has before types are registered."""

MAX_WEIGHT: Final = MAX_TEXT
VALUE_WEIGHT: Final = 13
"""A value weighs that much, and a character one: 20,000 values are the most, or 256 KiB of text."""

MANY: Final = 32
"""Values of a container of which it pays to look at all types first, in C."""

_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_SETTLED: Final = frozenset({str, int, bool, type(None), real(datetime)})
_EXACT: Final = frozenset({Decimal, UUID, real(date), time, timedelta})
"""What the encoders write as the normal form has it."""

_DATETIME: Final = frozenset({real(datetime)})
_FLAT: Final = _NUMBERS | {str}
_TAKEN: Final = _FLAT | _EXACT | _DATETIME | {dict, list, tuple, bytes, bytearray}

HEAVY: Final = 1 << 60
"""The weight of what has to be normalized."""

LOCAL_TIME: Final = 1 << 40
"""The weight of a time that is not in UTC."""

FOREIGN: Final = 256
"""The weight of a value that the encoders have converted for them."""

MAX_KEPT: Final = 8192
_seen: Final[list[dict[str, Any]]] = [{}]
"""The context of the last event, if it is flat: most often, the next one has the same.

What is equal to it, and not of a type that the encoders take, they refuse.
"""


def weight(event: Mapping[str, Any]) -> int:
    """Return what an event weighs: up to `MAX_WEIGHT`, an encoder in C can take it as it is.

    So it is with values of Python's own types, or their like, with times in UTC, and not too many
    or too deep: what shares its parts can be small in memory and endless as text. Of one that
    weighs more, `encodable` knows.

    Raises:
        AttributeError: its timestamp is no time.
    """
    if event["timestamp"].tzinfo is not UTC or not (len(event) == FIELDS or _are_settled(event)):
        return HEAVY
    context, data = event["context"], event["data"]
    if type(context) is not dict or type(data) is not dict:
        return HEAVY
    total = 0
    if context != _seen[0]:
        total = _weight(context, dict, MAX_DEPTH)
        if total <= MAX_KEPT and _FLAT.issuperset(map(type, context.values())):
            _seen[0] = context.copy()
    if len(data) > MANY:
        return total + _weight(data, dict, MAX_DEPTH)
    for item in data.values():  # as `_weight`: a call less
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in _NUMBERS:
            total += _weight(item, kind, MAX_DEPTH)
    return total


def _weight(value: Any, kind: type, depth: int) -> int:  # noqa: C901  a call less a value
    """Return what a value weighs that is neither a text nor a number."""
    if kind is dict:
        values: Any = value.values()
    elif kind is list or kind is tuple:
        values = value
    else:
        return _weight_of_scalar(value, kind)
    total = VALUE_WEIGHT * len(value)
    if len(value) > MANY or not depth:
        if total > MAX_WEIGHT or not depth:
            return HEAVY
        kinds = set(map(type, values))
        if kinds <= _NUMBERS:
            return total
        if not kinds <= _TAKEN:
            return HEAVY
        values = [item for item in values if type(item) not in _NUMBERS]
    for item in values:
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in _NUMBERS:
            total += _weight(item, kind, depth - 1)
            if total > MAX_WEIGHT and (total >= HEAVY or total % LOCAL_TIME > MAX_WEIGHT):
                return HEAVY
    return total


def _weight_of_scalar(value: Any, kind: type) -> int:
    if kind in _EXACT:
        return 0
    if kind in _DATETIME:
        return 0 if value.tzinfo is UTC else LOCAL_TIME
    if kind is bytes or kind is bytearray:
        return len(value)
    if issubclass(kind, Enum):  # the encoders write its value
        member = value._value_
        return len(member) if type(member) is str else 0 if type(member) is int else HEAVY
    if not _is_converted(kind):
        return HEAVY
    return FOREIGN + (str.__len__(value) if issubclass(kind, str) else 0)


@by_type
def _is_converted(kind: type) -> bool:
    """Return whether the encoders ask for what a value of a type is: they know it not at all."""
    if field_names(kind) is not None or is_proxy(kind):
        return False
    if issubclass(kind, (str, int, float, real(datetime))):
        return True
    return not hasattr(kind, "__len__") and reader(kind) is not None


def encodable(event: Event, weighs: int) -> Event | None:
    """Return what an encoder can take of an event that is too heavy as it is: a copy in UTC.

    Returns:
        None for an event that has to be normalized.
    """
    if weighs >= HEAVY or weighs % LOCAL_TIME > MAX_WEIGHT:
        return None
    return cast("Event", _in_utc(event))


def _in_utc(value: Any) -> Any:
    """Return a value of bounded weight with its times in UTC: itself, or a copy."""
    kind = type(value)
    if kind is dict:
        copied = None
        for key, item in value.items():
            if type(item) not in _FLAT and (new := _in_utc(item)) is not item:
                copied = copied or value.copy()
                copied[key] = new
        return copied or value
    if kind is list or kind is tuple:
        items = [_in_utc(item) for item in value]
        return value if all(map(is_, items, value)) else items
    if kind not in _DATETIME or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else as_utc(value)


def _are_settled(event: Mapping[str, object]) -> bool:
    stamps = (type(event.get("name_id")) is str) + (type(event.get("context_type_id")) is str)
    if len(event) == FIELDS + stamps:
        return True
    fields = event.keys() - {"context", "data"}
    return all(type(event[field]) in _SETTLED for field in fields)


def is_normal(value: object) -> bool:
    """Return whether decoded MessagePack is in normal form: text keys, and floats are finite."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str or not (type(item) in _SETTLED or is_normal(item)):
                return False
        return True
    if type(value) is list:
        return all(type(item) in _SETTLED or is_normal(item) for item in value)
    return type(value) is float and math.isfinite(value)
