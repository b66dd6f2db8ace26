"""The wire form: MessagePack, times as its timestamp extension."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, TypedDict, cast

import msgspec

from eventtracking_core.encoding._checks import MAX_WEIGHT, SETTLED, quick_weight
from eventtracking_core.encoding._encodable import encodable
from eventtracking_core.encoding._native import Revive, plain_hook, reviving_hook, to_wire
from eventtracking_core.encoding._normal import (
    converter,
    has_parts,
    keep,
    normalize_event,
    scalar_hook,
)
from eventtracking_core.encoding._odd_keys import decoder
from eventtracking_core.encoding._walk import MAX_TEXT_IN_ALL
from eventtracking_core.lifecycle.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["decode_msgpack", "encode_msgpack", "normal_from_msgpack", "wire_reader"]

_encode: Final = msgspec.msgpack.Encoder(enc_hook=scalar_hook(str, to_wire)).encode
_convert: Final = converter(str, to_wire)
_decode: Final = decoder(plain_hook)

NESTED: Final = 4
"""Levels of containers in data and context whose types are checked while they are decoded."""

_Finite = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
_Normal: Any = str | int | _Finite | bool | None
for _ in range(NESTED):
    _Normal = str | int | _Finite | bool | list[_Normal] | dict[str, _Normal] | None


class _NormalEvent(TypedDict):
    """What most events are: text keys, finite floats, and no time but their own."""

    id: str
    name: str
    timestamp: Any
    context: dict[str, _Normal]
    data: dict[str, _Normal]
    name_id: NotRequired[str]
    context_type_id: NotRequired[str]


_decode_normal: Final = msgspec.msgpack.Decoder(_NormalEvent).decode


def encode_msgpack(event: Event) -> bytes:
    """Return an event as MessagePack. Never raises; the bytes are a snapshot of the event."""
    try:
        weighs = quick_weight(event)
        taken = event if 0 <= weighs <= MAX_WEIGHT else encodable(event, weighs, _convert)
        if taken is not None:
            wire = _encode(taken)
            if len(wire) <= MAX_TEXT_IN_ALL:
                return wire
    except Exception as error:  # noqa: BLE001  what the encoder refuses is normalized
        pass_on(error)
    return _encode(normalize_event(event, native=to_wire))


def decode_msgpack(wire: bytes) -> Event:
    """Return the event that `encode_msgpack` was given, in plain values.

    Raises:
        ValueError: the bytes are not an event in MessagePack.
    """
    return cast("Event", _decode(wire))


def _reader(decode: Callable[[bytes], Event]) -> Callable[[bytes], Event]:
    """Return a function that reads most events in one step, and any other by `decode`."""

    def read(wire: bytes) -> Event:
        """Return the event that `encode_msgpack` was given, in normal form.

        Raises:
            ValueError: the bytes are not an event in MessagePack.
        """
        try:
            fields = _decode_normal(wire)
            # A map of so many keys: no other one was passed over.
            if len(fields) == wire[0] & 0x0F and isinstance(fields["timestamp"], datetime):
                return fields
        except msgspec.ValidationError:
            pass
        return decode(wire)

    return read


def _decode_and_normalize(wire: bytes) -> Event:
    event = cast("Event", _decode(wire))
    return event if has_parts(event) and _is_normal(event) else normalize_event(event)


def _is_normal(value: object) -> bool:
    """Return whether decoded MessagePack is in normal form: text keys, and floats are finite."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str or not (type(item) in SETTLED or _is_normal(item)):
                return False
        return True
    if type(value) is list:
        return all(type(item) in SETTLED or _is_normal(item) for item in value)
    return type(value) is float and math.isfinite(value)


normal_from_msgpack: Final = _reader(_decode_and_normalize)


def wire_reader(revive: Revive) -> Callable[[bytes], Event]:
    """Return a `normal_from_msgpack` that keeps bytes, and BSON's own types.

    Args:
        revive: returns the value of a BSON document that has it as its field `v`.
    """
    decode = decoder(reviving_hook(revive))
    return _reader(lambda wire: normalize_event(decode(wire), native=keep))
