"""Values as JSON will have them: of which type, how large, and which have no form there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

__all__ = ["HUGE", "SCALARS", "TEXTS", "json_type", "unserializable", "weight"]

HUGE: Final = 1 << 62
"""The weight of what has too many values to count."""

MAX_VALUES: Final = 20_000
MAX_DEPTH: Final = 64
SCALAR_BYTES: Final = 12
TEXT_BYTES: Final = 36

SCALARS: Final[frozenset[type]] = frozenset({int, float, bool, type(None)})
TEXTS: Final[frozenset[type]] = frozenset({datetime, date, time, timedelta, UUID, Decimal})
"""Types whose values are short texts in JSON."""

_KINDS: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((str, bytes, bytearray, memoryview, *TEXTS), "string"),
    ((PurePath, IPv4Address, IPv6Address, IPv4Network, IPv6Network), "string"),
    ((bool,), "boolean"),
    ((int,), "integer"),
    ((float,), "number"),
    ((type(None),), "null"),
    ((list, tuple, deque, range, set, frozenset), "array"),
    ((Mapping,), "object"),
)
_RECORDS: Final = (
    "__dataclass_fields__",
    "__struct_fields__",
    "__attrs_attrs__",
    "model_fields",
)


@lru_cache(maxsize=1024)
def _kind(cls: type) -> str | None:
    if any(hasattr(cls, attribute) for attribute in _RECORDS):
        return "object"
    return next((name for kinds, name in _KINDS if issubclass(cls, kinds)), None)


def json_type(value: object) -> str | None:
    """Return what JSON Schema calls a value; None for what has no form in JSON."""
    if isinstance(value, Enum):
        value = value.value
    cls: type = type(value)
    return _kind(cls)


def weight(value: object) -> int:
    """Return about how many bytes a value takes in JSON; -1 where a part of it has no form."""
    total = 0
    pending = [value]
    for item in pending:
        kind = type(item)
        if kind is str:
            total += len(item) + 3  # type: ignore[arg-type]
        elif kind in SCALARS:
            total += SCALAR_BYTES
        elif kind is dict:
            total += sum(map(len, item)) + 4 * len(item)  # type: ignore[call-overload, arg-type]
            pending += item.values()  # type: ignore[attr-defined]
        elif kind is list or kind is tuple:
            pending += item  # type: ignore[arg-type]
        else:
            size = _weight_of_object(item, pending)
            if size < 0:
                return -1
            total += size
        if len(pending) > MAX_VALUES:
            return HUGE
    return total


def _weight_of_object(item: Any, pending: list[Any]) -> int:
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


def unserializable(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield where in a value something has no form in JSON, and the name of its type."""
    yield from _unserializable(value, path, [MAX_VALUES], MAX_DEPTH)


def _unserializable(
    value: Any, path: str, budget: list[int], depth: int
) -> Iterator[tuple[str, str]]:
    budget[0] -= 1
    if budget[0] < 0 or not depth:
        return
    name = json_type(value)
    if name is None:
        yield path, type(value).__name__
    elif isinstance(value, Mapping):
        for key, item in list(value.items()):
            inner = f"{path}.{key}" if path else str(key)
            yield from _unserializable(item, inner, budget, depth - 1)
    elif name == "array":
        for item in list(value):
            yield from _unserializable(item, path, budget, depth - 1)
