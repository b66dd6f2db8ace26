"""Whether an event can go straight to an encoder in C, or needs its normal form first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from gc import is_tracked
from typing import Any, Final

__all__ = ["MAX_DEPTH", "has_naive_datetime", "is_bounded", "is_normal"]

MAX_CONTAINERS: Final = 1000
MAX_DEPTH: Final = 64
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_SETTLED: Final = frozenset({str, int, bool, type(None), datetime})


def is_bounded(event: Mapping[str, object]) -> bool:
    """Tell whether an encoder in C will end: few containers, of types whose size is known.

    A dict that the garbage collector does not track holds no container, so it need not be read;
    where an interpreter tracks every dict, reading it is all that is lost.
    """
    containers = 0
    for part in event.values():
        if is_tracked(part):
            containers += _containers(part, MAX_DEPTH)
    return containers <= MAX_CONTAINERS


def _containers(value: Any, depth: int) -> int:
    """Return how many containers a value is made of; too many, where it cannot be told."""
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif kind is not list and kind is not tuple:
        return MAX_CONTAINERS + 1
    if not depth:
        return MAX_CONTAINERS + 1
    count = 1
    for item in value:
        if type(item) not in _SCALARS and is_tracked(item):
            count += _containers(item, depth - 1)
            if count > MAX_CONTAINERS:
                break
    return count


def has_naive_datetime(value: object) -> bool:
    """Tell whether a bounded value holds a datetime without an offset."""
    pending: list[Any] = [value]
    for item in pending:
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        elif isinstance(item, datetime) and item.utcoffset() is None:
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
