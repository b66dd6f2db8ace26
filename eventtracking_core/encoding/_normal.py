"""The normal form: any value at all, as plain values that every sink can hold.

Plain values are dicts with text keys, lists, text, ints, finite floats, booleans, None and aware
UTC datetimes. Nothing a caller puts into an event can make `normalize` raise, recurse or run long:
depth, nodes and text are bounded, and no method of a foreign object is called unguarded.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from uuid import UUID

import msgspec

from eventtracking_core.encoding._checks import MAX_DEPTH
from eventtracking_core.events import as_utc, clean_name, new_id

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["normalize", "normalize_event"]

MAX_NODES: Final = 20_000
MAX_TEXT: Final = 256 * 1024
MAX_TEXT_IN_ALL: Final = 4 * MAX_TEXT
MAX_KEY: Final = 1024
MAX_KEYS_IN_ALL: Final = MAX_TEXT_IN_ALL

CYCLE: Final = "<cycle>"
TOO_DEEP: Final = "<cut: too deep>"
TOO_LARGE: Final = "<cut: too large>"
UNREADABLE: Final = "<unreadable>"

_INT64: Final = range(-(2**63), 2**63)
_PRINTED: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (UUID, UUID.__str__),
    (Decimal, Decimal.__str__),
    (PurePath, PurePath.__str__),
    (IPv4Interface, IPv4Interface.__str__),
    (IPv6Interface, IPv6Interface.__str__),
    (IPv4Address, IPv4Address.__str__),
    (IPv6Address, IPv6Address.__str__),
    (IPv4Network, IPv4Network.__str__),
    (IPv6Network, IPv6Network.__str__),
    (date, date.isoformat),
)
_LISTS: Final[tuple[type[Any], ...]] = (list, tuple, deque, range)

_Big: TypeAlias = "Callable[[int], Any]"


def normalize_event(event: Mapping[str, Any], *, big: _Big = str) -> Event:
    """Return an event in normal form, whatever it was; see `normalize`."""
    plain = _Walk(big).run(event)
    fields = plain if isinstance(plain, dict) else {"data": {"value": plain}}
    for part in ("context", "data"):
        if not isinstance(fields.setdefault(part, {}), dict):
            fields[part] = {} if fields[part] is None else {"value": fields[part]}
    if not isinstance(fields.get("timestamp"), datetime):
        fields["timestamp"] = _timestamp(fields.get("timestamp"))
    fields["name"] = clean_name(fields.get("name"))
    if not isinstance(fields.get("id"), str):
        fields["id"] = new_id()
    return cast("Event", fields)


def normalize(value: object, *, big: _Big = str) -> Any:
    """Return a value in plain types: dict, list, str, int, float, bool, None, aware datetime.

    Args:
        value: anything.
        big: what to make of an int that needs more than 64 bits; text by default.
    """
    return _Walk(big).run(value)


def _timestamp(value: object) -> datetime:
    try:
        return as_utc(msgspec.convert(value, datetime))
    except (msgspec.ValidationError, ValueError):
        return datetime.now(UTC)


class _Level:
    """A container being read: what is left of it, and where its values go."""

    __slots__ = ("items", "put", "source")

    def __init__(
        self, source: object, items: Iterator[Any], put: Callable[[Any, Any], None]
    ) -> None:
        self.source = source
        self.items = items
        self.put = put


class _Walk:
    """One traversal, with what is left of its budgets. No recursion."""

    def __init__(self, big: _Big) -> None:
        self._big = big
        self._nodes = MAX_NODES
        self._text = MAX_TEXT_IN_ALL
        self._keys = MAX_KEYS_IN_ALL
        self._levels: list[_Level] = []

    def run(self, value: object) -> Any:
        result: list[Any] = []
        self._levels.append(_Level(None, iter([(None, value)]), _appender(result)))
        while self._levels:
            level = self._levels[-1]
            try:
                key, item = next(level.items)
            except StopIteration:
                self._levels.pop()
            except Exception:  # noqa: BLE001  a foreign iterator may raise anything
                level.put(UNREADABLE, UNREADABLE)
                self._levels.pop()
            else:
                self._nodes -= 1
                if self._nodes < 0 or self._keys < 0:
                    level.put(TOO_LARGE, TOO_LARGE)
                    self._levels.pop()
                    continue
                self._visit(level, key, item)
        return result[0]

    def _visit(self, level: _Level, key: Any, item: Any) -> None:
        try:
            plain = self._convert(item)
        except Exception:  # noqa: BLE001  a foreign object may raise anything
            plain = UNREADABLE
        level.put(self._key(key), plain)

    def _key(self, key: object) -> str:
        if type(key) is not str:
            try:
                key = self._key_text(key)
            except Exception:  # noqa: BLE001  a foreign object may raise anything
                key = UNREADABLE
        if "\0" in key:
            key = key.replace("\0", "")
        if len(key) > MAX_KEY:
            key = f"{key[:MAX_KEY]}~"
        self._keys -= len(key)
        return self._sound(key)

    def _key_text(self, key: object) -> str:
        if key is None or isinstance(key, bool):
            return msgspec.json.encode(key).decode()
        if isinstance(key, _LISTS):
            return _type_name(key)
        depth = len(self._levels)
        plain = self._convert(key)
        del self._levels[depth:]  # a container is no key
        if isinstance(plain, float):
            return repr(plain)
        if isinstance(plain, datetime):
            return plain.isoformat().replace("+00:00", "Z")
        return str(plain) if isinstance(plain, str | int) else _type_name(key)

    def _convert(self, value: Any) -> Any:  # noqa: PLR0911  one return a kind
        if value is None or value is True or value is False:
            return value
        if isinstance(value, Enum):
            value = object.__getattribute__(value, "_value_")
        if isinstance(value, str):
            return self._shortened(str.__str__(value))
        if isinstance(value, int):
            return self._int(int.__index__(value))
        if isinstance(value, float):
            number = float.__float__(value)
            return number if math.isfinite(number) else None
        if isinstance(value, datetime):
            return as_utc(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return self._shortened(b64encode(bytes(value[: MAX_TEXT + 1])).decode())
        return self._convert_object(value)

    def _convert_object(self, value: Any) -> Any:
        items = self._items(value)
        if items is not None:
            return self._enter(value, items)
        if isinstance(value, time):
            return time.isoformat(value)
        if isinstance(value, timedelta):
            return msgspec.to_builtins(timedelta(seconds=timedelta.total_seconds(value)))
        for kind, text in _PRINTED:
            if isinstance(value, kind):
                return self._shortened(text(value))
        return _type_name(value)

    def _items(self, value: Any) -> tuple[bool, Iterator[tuple[Any, Any]]] | None:
        """Return whether a container is keyed, and its items; None for what is no container."""
        if isinstance(value, dict):
            return True, iter(list(dict.copy(value).items()))
        if isinstance(value, set | frozenset):
            members = set.copy(value) if isinstance(value, set) else value
            return False, ((None, item) for item in frozenset.__iter__(frozenset(members)))
        for kind in _LISTS:
            if isinstance(value, kind):
                reader = cast("Iterable[Any]", kind.__iter__(value))
                return False, ((None, item) for item in list(islice(reader, MAX_NODES + 1)))
        fields = _field_names(value)
        if fields is not None:
            return True, ((name, getattr(value, name)) for name in fields)
        if isinstance(value, Mapping):
            return True, iter(list(islice(type(value).items(value), MAX_NODES + 1)))
        return None

    def _enter(self, value: object, content: tuple[bool, Iterator[tuple[Any, Any]]]) -> Any:
        if any(level.source is value for level in self._levels):
            return CYCLE
        if len(self._levels) > MAX_DEPTH:
            return TOO_DEEP
        keyed, items = content
        target: Any = {} if keyed else []
        put = _setter(target) if keyed else _appender(target)
        self._levels.append(_Level(value, items, put))
        return target

    def _int(self, value: int) -> Any:
        if value in _INT64:
            return value
        digits = value.bit_length() // 3  # about as many, never fewer
        if digits > self._text:
            return TOO_LARGE
        try:
            plain = self._big(value)
        except ValueError:  # more digits than the interpreter prints
            return TOO_LARGE
        self._text -= digits
        return plain

    def _shortened(self, text: str) -> str:
        room = min(MAX_TEXT, self._text)
        if len(text) > room:
            text = f"{text[:room]}{TOO_LARGE}"
        self._text = max(0, self._text - len(text))
        return self._sound(text)

    @staticmethod
    def _sound(text: str) -> str:
        """Replace surrogates that stand alone; a pair becomes its character."""
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text


def _appender(target: list[Any]) -> Callable[[Any, Any], None]:
    def append(_key: object, value: Any) -> None:
        target.append(value)

    return append


def _setter(target: dict[str, Any]) -> Callable[[Any, Any], None]:
    def put(key: str, value: Any) -> None:
        if key in target:  # two keys with one text, such as 1 and "1"
            number = 2
            while f"{key}~{number}" in target:
                number += 1
            key = f"{key}~{number}"
        target[key] = value

    return put


def _field_names(value: object) -> Iterable[str] | None:
    """Return the names of a record's fields, as its type declares them."""
    kind = type(value)
    for attribute in ("__dataclass_fields__", "__struct_fields__", "model_fields"):
        fields = getattr(kind, attribute, None)
        if isinstance(fields, dict | tuple):
            return [name for name in fields if isinstance(name, str)]
    attributes = getattr(kind, "__attrs_attrs__", None)
    return [field.name for field in attributes] if isinstance(attributes, tuple) else None


def _type_name(value: object) -> str:
    kind = type(value)
    names = (type.__getattribute__(kind, name) for name in ("__module__", "__qualname__"))
    text = ".".join(name for name in names if isinstance(name, str))
    return f"<{text.encode('utf-8', 'backslashreplace').decode()[:MAX_KEY]}>"
