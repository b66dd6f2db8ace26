"""Whether an event can go straight to an encoder in C, or needs its normal form first."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from gc import get_referents
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta, Struct, ValidationError, convert

from eventtracking_core.encoding._compiled import plain_weight
from eventtracking_core.encoding._converters import opener
from eventtracking_core.encoding._limits import MAX_DEPTH, MAX_TEXT
from eventtracking_core.encoding._plain import by_type, field_names, is_proxy, reader
from eventtracking_core.events import FIELDS, real, shared_context

__all__ = [
    "CONVERTED",
    "COPIED",
    "DATETIME",
    "FLAT",
    "LISTS",
    "MANY",
    "MAX_WEIGHT",
    "MEMBERS",
    "SETTLED",
    "TAKEN",
    "is_converted",
    "is_heavy",
    "quick_weight",
    "seen_context",
    "weight",
]

MAX_WEIGHT: Final = MAX_TEXT
VALUE_WEIGHT: Final = 13
"""A value weighs that much, and a character one: 20,000 values are the most, or 256 KiB of text."""

MANY: Final = 32
"""Values of a container of which it pays to look at all types first, in C."""

_NUMBERS: Final = frozenset({int, float, bool, type(None)})
SETTLED: Final = frozenset({str, int, bool, type(None), real(datetime)})
_EXACT: Final = frozenset({Decimal, UUID, real(date), time, timedelta})
"""What the encoders write as the normal form has it."""

DATETIME: Final = frozenset({real(datetime)})
FLAT: Final = _NUMBERS | {str}
_FLAT_OR_TIMES: Final = FLAT | DATETIME
LISTS: Final = frozenset({list, tuple, set, frozenset})
_CONTAINERS: Final = LISTS | {dict}
_NUMBERS_OR_CONTAINERS: Final = _NUMBERS | _CONTAINERS
_SCALARS: Final = _EXACT | DATETIME | {bytes, bytearray}
MEMBERS: Final = frozenset({str, int})
TAKEN: Final = FLAT | _EXACT | DATETIME | {dict, list, tuple, set, frozenset, bytes, bytearray}

HEAVY: Final = 1 << 60
"""The weight of what has to be normalized."""

COPIED: Final = 1 << 40
"""The weight of a value that has to be replaced by one like it, in a copy of the event."""

CONVERTED: Final = 1 << 50
"""The weight of a value that has to be replaced by its plain form, which may weigh anything."""

FOREIGN: Final = 256
"""The weight of a value that the encoders have converted for them."""

_SEES_VALUES: Final = sys.version_info < (3, 13)
"""Whether the collector knows all values of a dict: later, not those of an object's `__dict__`."""

SHORT: Final = 64
"""Characters of a text that is short: 20,000 of them are far below what encoders may write."""

_ShortText = Annotated[str, Meta(max_length=SHORT)]


class _ShortTexts(Struct, array_like=True, gc=False):
    values: list[_ShortText | int | float | bool | None]


MAX_KEPT: Final = 8192
seen_context: Final[list[dict[str, Any]]] = [{}]
"""The context of the last event, if it is flat: most often, the next one has the same.

A context that is equal to it may have values of other types; the encoders refuse those.
"""


def weight(event: Mapping[str, Any]) -> int:
    """Return an event's weight: up to `MAX_WEIGHT`, an encoder in C can take it as it is.

    Such an event has values of Python's own types or similar ones, and times in UTC. It has neither
    too many values nor too deep ones: a structure that shares its parts can be small in memory and
    endless as text. For a heavier event, `encodable` decides.

    Raises:
        AttributeError: its timestamp is no time.
    """
    if event["timestamp"].tzinfo is not UTC or not (
        len(event) == FIELDS
        or (len(event) == FIELDS + 1 and type(event.get("name_id")) is str)
        or _are_settled(event)
    ):
        return HEAVY
    context, data = event["context"], event["data"]
    if type(context) is not dict or type(data) is not dict:
        return HEAVY
    total, seen = 0, seen_context[0]
    if context is not seen:
        is_shared = context is shared_context[0]
        is_kept = is_shared  # to be known sooner, although it is equal
        if context != seen:
            total = _weight(context, dict, MAX_DEPTH)
            is_kept = total <= MAX_KEPT
        if is_kept and FLAT.issuperset(map(type, context.values())):
            seen_context[0] = context if is_shared else context.copy()
    if len(data) > MANY:
        return total + _weight(data, dict, MAX_DEPTH)
    for item in data.values():  # as `_weight`: a call less
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in _NUMBERS:
            total += _weight(item, kind, MAX_DEPTH - 1)
    return total


quick_weight: Final = plain_weight or weight
"""The fastest `weight` there is; it may return -1 for an event that needs a closer look."""


def _weight(value: Any, kind: type, depth: int) -> int:
    """Return what a value weighs that is neither a text nor a number."""
    if kind is dict:
        values: Any = value.values()
    elif kind is list or kind is tuple:
        values = value
    elif kind is set or kind is frozenset:
        values = list(value)  # one step for other threads
    else:
        return _weight_of_other(value, kind, depth)
    number = len(value)
    total = VALUE_WEIGHT * number
    if number > MANY or not depth:
        return HEAVY if total > MAX_WEIGHT or not depth else total + _weight_of_many(values, depth)
    for item in values:
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in _NUMBERS:
            total += _weight(item, kind, depth - 1)
            if total > MAX_WEIGHT and is_heavy(total):
                return HEAVY
    return total


def is_heavy(weighs: int) -> bool:
    return weighs >= HEAVY or weighs % COPIED > MAX_WEIGHT


def _weight_of_many(values: Collection[Any], depth: int) -> int:
    """Return what the values of a container weigh, and those in them, level by level.

    For a list of small dicts, a look at one after the other takes twice as long.
    """
    total = 0
    while True:
        depth -= 1
        kinds = set(map(type, values))
        if kinds <= _NUMBERS:
            return total
        if kinds <= _FLAT_OR_TIMES:
            if not kinds <= FLAT:
                total += COPIED  # perhaps needlessly, but to know it takes as long as the copy
            return total + (_weight_of_texts(values) if str in kinds else 0)
        if not kinds.isdisjoint(_NUMBERS):
            values = [item for item in values if type(item) not in _NUMBERS]
        if len(values) <= MANY:
            return total + _weight_of_few(values, depth)
        if not kinds <= TAKEN:
            total += COPIED  # the encoders would ask for each of them
        holders = values
        if not kinds <= _NUMBERS_OR_CONTAINERS:
            holders = [item for item in values if type(item) in _CONTAINERS]
            others = [item for item in values if type(item) not in _CONTAINERS]
            total += _weight_of_few(others, depth)
        number = sum(map(len, holders))
        total += VALUE_WEIGHT * number
        if is_heavy(total) or (holders and not depth):
            return HEAVY
        values = _values_in(holders, number)


def _values_in(holders: Collection[Any], number: int) -> list[Any]:
    """Return the values of containers, which have that many in all."""
    if _SEES_VALUES:
        values = get_referents(*holders)
        if len(values) == number:  # else there are keys among them that are not text
            return values
    return [
        item for holder in holders for item in (holder.values() if type(holder) is dict else holder)
    ]


def _weight_of_texts(values: Iterable[Any]) -> int:
    """Return what the texts among flat values weigh; many short ones are values like others."""
    flat = list(values)
    try:
        convert((flat,), _ShortTexts)
    except ValidationError:
        return sum([len(item) for item in flat if type(item) is str])
    return 0


def _weight_of_few(values: Iterable[Any], depth: int) -> int:
    total = 0
    for item in values:
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in DATETIME or item.tzinfo is not UTC:  # most are, and need no call
            total += _weight(item, kind, depth)
            if is_heavy(total):
                return HEAVY
    return total


def _weight_of_other(value: Any, kind: type, depth: int) -> int:
    """Return what a value weighs that is neither flat nor one of Python's own containers."""
    open_container = None if kind in _SCALARS else opener(kind)
    if open_container is None:
        return _weight_of_scalar(value, kind)
    if not depth:
        return HEAVY
    plain = open_container(value)
    return COPIED + _weight(plain, type(plain), depth)


def _weight_of_scalar(value: Any, kind: type) -> int:
    if kind in _EXACT:
        return 0
    if kind in DATETIME:
        return 0 if value.tzinfo is UTC else COPIED
    if kind is bytes or kind is bytearray:
        return len(value)
    if issubclass(kind, Enum):  # the encoders write its value
        member = value._value_
        return len(member) if type(member) is str else 0 if type(member) is int else CONVERTED
    if not is_converted(kind):
        return CONVERTED
    return FOREIGN + (str.__len__(value) if issubclass(kind, str) else 0)


@by_type
def is_converted(kind: type) -> bool:
    """Return whether the encoders ask for what a value of a type is: they know it not at all."""
    if field_names(kind) is not None or is_proxy(kind):
        return False
    if issubclass(kind, (str, int, float, real(datetime))):
        return True
    return not hasattr(kind, "__len__") and reader(kind) is not None


def _are_settled(event: Mapping[str, object]) -> bool:
    stamps = (type(event.get("name_id")) is str) + (type(event.get("context_type_id")) is str)
    if len(event) == FIELDS + stamps:
        return True
    fields = event.keys() - {"context", "data"}
    return all(type(event[field]) in SETTLED for field in fields)
