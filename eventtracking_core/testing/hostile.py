"""Hostile input, each case by name and made fresh: what an event may hold and no sink may mind.

`VALUES`, `KEYS` and `NAMES` are functions by name. `EVENTS` are functions that return events with
one of them inside, as a tracker hands them to a backend.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from io import StringIO
from ipaddress import ip_address
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from eventtracking_core.events import Event, clean_name, new_id
from eventtracking_core.testing._hostile_types import (
    Colour,
    Float,
    Hostile,
    HostileDict,
    HostileMapping,
    HostileText,
    Int,
    Lying,
    Nameless,
    Point,
    Record,
    Struct,
    Surrogate,
    Text,
    Zone,
)

__all__ = ["EVENTS", "KEYS", "NAMES", "VALUES"]


def _generator() -> Iterator[int]:
    yield 1


def _coroutine() -> object:
    async def nothing() -> None: ...

    coroutine = nothing()
    coroutine.close()  # or Python warns that it was never awaited
    return coroutine


def _cycle() -> object:
    cycle: list[Any] = []
    cycle.append({"again": cycle})
    return cycle


def _deep(wrap: Callable[[Any], object]) -> object:
    value: object = 1
    for _ in range(10_000):
        value = wrap(value)
    return value


def _exploding() -> object:
    """Return forty lists that are a million million when they are written out."""
    value: list[Any] = [1]
    for _ in range(40):
        value = [value, value]
    return value


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


VALUES: Final[Mapping[str, Callable[[], Any]]] = {
    **{
        name: _constant(value)
        for name, value in {
            "not a number": math.nan,
            "infinity": math.inf,
            "negative infinity": -math.inf,
            "int beyond 64 bits": 2**64,
            "negative int beyond 64 bits": -(2**63) - 1,
            "int of 5,000 digits": 10**5000,
            "int of a type of its own": Int(7),
            "float of a type of its own": Float(1.5),
            "decimal": Decimal("1.10"),
            "decimal that is not a number": Decimal("sNaN"),
            "complex": 1j,
            "lone surrogate": "a\ud800b",
            "control characters": "a\0\x07\x7f\x9b",
            "terminal escapes": "\x1b[31mred\x1b]0;title\x07",
            "line breaks": "a\r\nb\nc\x85d",
            "line separators": "a\u2028b\u2029c",
            "text that turns its direction": "a\u202egnp.exe",
            "text of a type of its own": Text("safe"),
            "text that raises": HostileText("x"),
            "bytes": b"\x00\xff",
            "frozenset": frozenset({1, 2}),
            "range": range(3),
            "tuple": (1, 2),
            "named tuple": Point(1, 2),
            "UUID": UUID(int=7),
            "enum": Colour.RED,
            "path": PurePosixPath("/a/b"),
            "IPv4 address": ip_address("192.0.2.1"),
            "IPv6 address": ip_address("2001:db8::1"),
            "date": date(2026, 9, 12),
            "time": time(12, 55),
            "timedelta": timedelta(days=-1, seconds=5),
            "naive datetime": datetime(2026, 9, 12),  # noqa: DTZ001  the case
            "datetime with an offset of seconds": datetime(
                1900, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32))
            ),
            "datetime before all": datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            "datetime after all": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
            "datetime whose zone raises": datetime(2026, 1, 1, tzinfo=Zone(RuntimeError("no"))),
            "datetime whose zone has no offset": datetime(2026, 1, 1, tzinfo=Zone(None)),
            "datetime whose offset is no timedelta": datetime(2026, 1, 1, tzinfo=Zone("east")),
            "datetime whose offset is too large": datetime(
                2026, 1, 1, tzinfo=Zone(timedelta(days=400))
            ),
            "type": int,
            "function": len,
        }.items()
    },
    "long text": lambda: "x" * 2**20,
    "bytearray": lambda: bytearray(b"\x00\xff"),
    "memoryview": lambda: memoryview(b"\x00\xff"),
    "set": lambda: {1, "a"},
    "deque": lambda: deque([1, 2]),
    "generator": _generator,
    "coroutine": _coroutine,
    "file": lambda: StringIO("text"),
    "dataclass": Record,
    "struct": Struct,
    "mapping that is not a dict": lambda: MappingProxyType({"a": 1}),
    "mapping that raises": HostileMapping,
    "dict that raises": lambda: HostileDict(a=1),
    "object": object,
    "object that raises": Hostile,
    "object that lies of its class": Lying,
    "object whose type has no name": Nameless,
    "object whose type is unprintable": Surrogate,
    "cycle": _cycle,
    "10,000 dicts deep": lambda: _deep(lambda value: {"a": value}),
    "10,000 lists deep": lambda: _deep(lambda value: [value]),
    "100,000 keys": lambda: {str(number): number for number in range(100_000)},
    "shared lists that explode": _exploding,
}
"""Values of fields."""

KEYS: Final[Mapping[str, Callable[[], Any]]] = {
    **{
        name: _constant(value)
        for name, value in {
            "empty": "",
            "dotted": "a.b",
            "led by a dollar": "$set",
            "with NUL": "a\0b",
            "with a line break": "a\nb",
            "lone surrogate": "\ud800",
            "over-long": "k" * 100_000,
            "text of a type of its own": Text("safe"),
            "int": 1,  # there is a key "1" besides
            "int beyond 64 bits": 2**64,
            "not a number": math.nan,
            "boolean": True,
            "none": None,
            "bytes": b"\xff",
            "tuple": (1, "a"),
            "UUID": UUID(int=7),
            "datetime": datetime(2026, 1, 1, tzinfo=UTC),
            "enum": Colour.RED,
            "type": int,
        }.items()
    },
    "object that raises": Hostile,
    "object that lies of its class": Lying,
    "object whose type has no name": Nameless,
    "object whose type is unprintable": Surrogate,
}
"""Keys of fields."""

NAMES: Final[Mapping[str, Callable[[], Any]]] = {
    name: _constant(value)
    for name, value in {
        "none": None,
        "empty": "",
        "int": 7,
        "bytes": b"name",
        "list": ["name"],
        "over-long": "n" * 100_000,
        "line break": 'name\n{"forged": true}',
        "terminal escapes": "name\x1b[2J",
        "text that turns its direction": "name\u202eeman",
        "lone surrogate": "name\ud800",
        "text of a type of its own": Text("name"),
        "text that raises": HostileText("name"),
        "object that raises": Hostile(),
        "object that lies of its class": Lying(),
        "object whose type has no name": Nameless(),
    }.items()
}
"""Names of events, as an application may emit them."""


def _event(
    *, name: object = "edx.problem.check", field: Any = "a", value: Any = 1, data: Any = None
) -> Event:
    return {
        "id": new_id(),
        "name": clean_name(name),
        "timestamp": datetime.now(UTC),
        "context": {"user_id": value},
        "data": {field: value, "a": 1, "1": 1} if data is None else data,
    }


def _with(part: str, make: Callable[[], Any]) -> Event:
    return _event(**{part: make()})


_MAPPINGS: Final = (
    "mapping that is not a dict",
    "mapping that raises",
    "dict that raises",
    "10,000 dicts deep",
    "100,000 keys",
)
_CASES: Final[Mapping[str, Mapping[str, Callable[[], Any]]]] = {
    "value": VALUES,
    "data": {name: VALUES[name] for name in _MAPPINGS},
    "field": KEYS,
    "name": NAMES,
}

EVENTS: Final[Mapping[str, Callable[[], Event]]] = {
    f"{part}: {name}": partial(_with, part, make)
    for part, cases in _CASES.items()
    for name, make in cases.items()
}
"""Events, each with one of the above; data that is a mapping reaches a backend as it is."""
