"""How values of each type are converted to their plain form."""

from __future__ import annotations

import math
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import PurePath
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from eventtracking_core.encoding._keys import are_names
from eventtracking_core.encoding._limits import MAX_TEXT
from eventtracking_core.encoding._plain import (
    by_type,
    field_names,
    has_reader,
    is_bson,
    is_proxy,
    reader,
    unwrapped,
)
from eventtracking_core.encoding._walk import INT64, TOO_LARGE, Walk
from eventtracking_core.events import as_utc, real

__all__ = ["Big", "converting", "opener"]

Big: TypeAlias = Callable[[int], Any]
_Converter: TypeAlias = Callable[[Walk, Any], Any]

_DATETIME: Final = (real(datetime),)
_DATE: Final = real(date)
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
    (_DATE, _DATE.isoformat),
    (time, time.isoformat),
    (complex, complex.__repr__),
)
_LISTS: Final[tuple[type[Any], ...]] = (list, tuple, deque, range)
_RESULTS: Final = frozenset(
    {type(None), bool, int, float, str, bytes, list, tuple, dict, time, timedelta, complex}
    | {_DATE, *_DATETIME}
)
"""What a reader may return."""


def converting(big: Big) -> _Converter:
    """Return a function that converts any value.

    Args:
        big: what to make of an int that needs more than 64 bits.
    """
    if big is not str:

        def convert(walk: Walk, value: Any) -> Any:
            if type(value) is int:
                return _int(walk, value, big)
            return _converter(type(value))(walk, value)

        return convert
    return _converted


def _converted(walk: Walk, value: Any) -> Any:
    return _converter(type(value))(walk, value)


@by_type
def _converter(kind: type) -> _Converter:
    """Return what converts objects of a type."""
    convert = _plain_converter(kind)
    if not is_bson(kind):
        return convert
    return lambda walk, value: (walk.native or partial(convert, walk))(value)


def _plain_converter(kind: type) -> _Converter:  # noqa: PLR0911  one return a kind
    if is_proxy(kind):
        return _proxy
    if has_reader(kind):
        return _foreign
    for base, convert in _CONVERTERS:
        if issubclass(kind, base):
            return convert
    if kind is list or kind is tuple:
        return Walk.listed
    for base in _LISTS:
        if issubclass(kind, base):
            return partial(_members, base)
    if field_names(kind) is not None:
        return _record
    return _mapping if issubclass(kind, Mapping) else _foreign


@by_type
def opener(kind: type) -> Callable[[Any], dict[str, Any] | list[Any]] | None:
    """Return a function that returns containers of a type as an exact dict or list.

    Returns:
        None for other types, and for containers whose members are only known one by one.
    """
    convert = _converter(kind)
    if convert is Walk.keyed:
        return dict.copy
    if convert is _record:
        names = field_names(kind) or ()
        if not are_names(names) or len(set(names)) < len(names):
            return None
        return lambda record: {name: getattr(record, name) for name in names}
    if isinstance(convert, partial) and convert.func is _members:
        base = convert.args[0]
        return partial(_listed, base) if base is not range else None
    return None


def _listed(base: type[Any], members: object) -> list[Any]:
    return list(base.__iter__(members))


def _enum(walk: Walk, member: Enum) -> Any:
    return _converted(walk, object.__getattribute__(member, "_value_"))


def _int(walk: Walk, number: int, big: Big = str) -> Any:
    number = int.__index__(number)
    if number in INT64:
        return number
    if not walk.has_room(number.bit_length() // 3):  # about as many digits, never fewer
        return TOO_LARGE
    try:
        return big(number)
    except ValueError:  # more digits than the interpreter prints
        return TOO_LARGE


def _float(walk: Walk, number: float) -> float | None:
    number = float.__float__(number)
    if math.isfinite(number):
        return number
    walk.infinite()
    return None


def _bytes(walk: Walk, value: Any) -> Any:
    if walk.native is not None and walk.has_room(len(value)):
        return walk.native(value)
    return walk.text(b64encode(bytes(value[: MAX_TEXT + 1])).decode())


def _timedelta(_walk: Walk, value: timedelta) -> Any:
    return msgspec.to_builtins(timedelta(seconds=timedelta.total_seconds(value)))


def _printed(text: Callable[[Any], str], walk: Walk, value: Any) -> str:
    return walk.text(text(value))


def _set(walk: Walk, members: set[Any] | frozenset[Any]) -> Any:
    copied = frozenset(set.copy(members) if isinstance(members, set) else members)
    return _members(frozenset, walk, copied)


def _members(kind: type[Any], walk: Walk, source: object) -> Any:
    reading: Iterable[Any] = kind.__iter__(source)
    return walk.enter(source, ((None, item) for item in reading), keyed=False)


def _mapping(walk: Walk, source: Mapping[Any, Any]) -> Any:
    return walk.enter(source, type(source).items(source), keyed=True)


def _record(walk: Walk, source: object) -> Any:
    names = field_names(type(source)) or ()
    return walk.enter(source, ((name, getattr(source, name)) for name in names), keyed=True)


def _proxy(walk: Walk, value: object) -> Any:
    return _converted(walk, unwrapped(value))


def _foreign(walk: Walk, value: object) -> Any:
    read = reader(type(value))
    if read is None:
        return walk.lost(value)
    plain = read(value)
    return _converted(walk, plain) if type(plain) in _RESULTS else walk.lost(value)


_CONVERTERS: Final[tuple[tuple[Any, _Converter], ...]] = (
    ((type(None), bool), lambda _walk, value: value),
    (Enum, _enum),
    (str, lambda walk, text: walk.text(str.__str__(text))),
    (int, _int),
    (float, _float),
    (_DATETIME, lambda _walk, moment: as_utc(moment)),
    ((bytes, bytearray, memoryview), _bytes),
    (dict, Walk.keyed),
    ((set, frozenset), _set),
    (timedelta, _timedelta),
    *[(kind, partial(_printed, text)) for kind, text in _PRINTED],
)
