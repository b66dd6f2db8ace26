"""The JSON type and the estimated JSON size of values."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, Final, cast
from uuid import UUID

from eventtracking_core.encoding import by_type, has_reader, losses, normalize, plain_size
from eventtracking_core.registry.annotations import json_type_of_class

__all__ = ["HUGE", "SCALARS", "TEXTS", "estimated_size", "json_type"]

HUGE: Final = 1 << 62
"""The estimated_size of what has too many values to count."""

MAX_VALUES: Final = 20_000
SCALAR_BYTES: Final = 12
TEXT_BYTES: Final = 36

SCALARS: Final[frozenset[type]] = frozenset({int, float, bool, type(None)})
TEXTS: Final[frozenset[type]] = frozenset({datetime, date, time, timedelta, UUID, Decimal})
"""Types whose values are short texts in JSON."""

_ARRAYS: Final = (list, tuple, deque, range, set, frozenset)


@by_type
def _kind(cls: type) -> str | None:
    """Return what JSON Schema calls values of a type; None if it depends on the value."""
    if has_reader(cls):
        return None
    name = json_type_of_class(cls)
    return None if name == "array" and not issubclass(cls, _ARRAYS) else name


def json_type(value: object) -> str | None:
    """Return what JSON Schema calls a value; None if it has no form in JSON."""
    if isinstance(value, Enum):
        value = value.value
    cls: type = type(value)
    if issubclass(cls, float) and not isfinite(cast("float", value)):
        return None
    name = _kind(cls)
    if name is not None:
        return name
    plain = normalize(value)
    return None if losses(value) else _kind(type(plain))


def estimated_size(value: object) -> int:
    """Return the estimated size in JSON, in bytes; -1 if a part of the value has no form there."""
    if plain_size is not None and (size := plain_size(value)) >= 0:
        return size
    return size_in_python(value)


def size_in_python(value: object) -> int:
    """Return the estimated size of any value: the reference of `plain_size`."""
    total = 0
    pending = [value]
    for item in pending:
        kind = type(item)
        if kind is str:
            total += len(item) + 3  # type: ignore[arg-type]
            continue
        if kind is dict:
            total += len("".join(item)) + 4 * len(item)  # type: ignore[arg-type]
            pending += item.values()  # type: ignore[attr-defined]
        elif kind is list or kind is tuple:
            pending += item  # type: ignore[arg-type]
        elif kind in SCALARS:
            if kind is float and not isfinite(item):  # type: ignore[arg-type]
                return -1
            total += SCALAR_BYTES
            continue
        else:
            size = _size_of_object(item, pending)
            if size < 0:
                return -1
            total += size
        if len(pending) > MAX_VALUES:
            return HUGE
    return total


def _size_of_object(item: Any, pending: list[Any]) -> int:
    if _kind(type(item)) is None and not isinstance(item, Enum):
        if losses(item):
            return -1
        pending.append(normalize(item))
        return 0
    name = json_type(item)
    if name is None:
        return -1
    if name == "array":
        pending += list(item)
    elif isinstance(item, Mapping):
        pending += [*item.keys(), *item.values()]
    elif isinstance(item, str | bytes | bytearray):
        return len(item)
    return TEXT_BYTES
