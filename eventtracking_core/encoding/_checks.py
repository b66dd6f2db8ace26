"""Whether an event can go straight to an encoder in C, or needs its normal form first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from gc import is_tracked
from typing import Any, Final

__all__ = ["MAX_DEPTH", "has_foreign_datetime", "is_bounded", "is_normal"]

FEW_VALUES: Final = 64
MAX_VALUES: Final = 20_000
MAX_TEXT: Final = 1 << 20
MAX_DEPTH: Final = 64
FIELDS: Final = 5
"""How many an event has before types are registered."""

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_SETTLED: Final = frozenset({str, int, bool, type(None), datetime})


def is_bounded(event: Mapping[str, object]) -> bool:
    """Tell whether an encoder in C will end soon: few values, of types whose size is known.

    Structures that share their parts can be small in memory and endless as text. A dict that the
    garbage collector does not track holds no container, so it need not be read; where an
    interpreter tracks every dict, reading it is all that is lost.
    """
    if len(event) > FIELDS and not _are_settled(event):
        return False
    context, data = event["context"], event["data"]
    count = len(context) + len(data)  # type: ignore[arg-type]
    if is_tracked(context):
        count += _values(context, MAX_DEPTH)
    if is_tracked(data):
        if type(data) is not dict:
            return False
        for item in data.values():  # as `_values`, which most events then need not call for it
            if is_tracked(item):
                count += _values(item, MAX_DEPTH)
                if count > MAX_VALUES:
                    return False
    # So few values cannot say the same long text too often.
    return count <= FEW_VALUES or (count <= MAX_VALUES and _text(event) <= MAX_TEXT)


def _are_settled(event: Mapping[str, object]) -> bool:
    stamps = (type(event.get("name_id")) is str) + (type(event.get("context_type_id")) is str)
    if len(event) == FIELDS + stamps:
        return True
    fields = event.keys() - {"context", "data"}
    return all(type(event[field]) in _SETTLED for field in fields)


def _values(value: Any, depth: int) -> int:
    """Return how many values a container has in it; too many, where it cannot be told."""
    kind = type(value)
    count = len(value) if kind is dict or kind is list or kind is tuple else MAX_VALUES + 1
    if count > MAX_VALUES or not depth:
        return MAX_VALUES + 1
    for item in value.values() if kind is dict else value:
        if is_tracked(item):  # most values are scalars, which are not
            count += _values(item, depth - 1)
            if count > MAX_VALUES:
                break
    return count


def _text(event: Mapping[str, object]) -> int:
    """Return the characters and bytes in the values of an event that is small in number."""
    total = 0
    pending: list[Any] = [event]
    for item in pending:
        if isinstance(item, str | bytes | bytearray | memoryview):
            total += len(item)
        elif isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list | tuple):
            pending += item
    return total


def has_foreign_datetime(event: Mapping[str, object]) -> bool:
    """Tell whether a bounded event holds a datetime that is not plainly in UTC."""
    pending: list[Any] = [event]
    for item in pending:
        kind = type(item)
        if kind is dict:
            pending += [value for value in item.values() if type(value) not in _SCALARS]
        elif kind is list or kind is tuple:
            pending += [value for value in item if type(value) not in _SCALARS]
        elif isinstance(item, datetime) and item.tzinfo is not UTC:
            return True
    return False


def is_normal(value: object) -> bool:
    """Tell whether decoded MessagePack is in normal form: text keys, and floats that are finite."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str or not (type(item) in _SETTLED or is_normal(item)):
                return False
        return True
    if type(value) is list:
        return all(type(item) in _SETTLED or is_normal(item) for item in value)
    return type(value) is float and math.isfinite(value)
