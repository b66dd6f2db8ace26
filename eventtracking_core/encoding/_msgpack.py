"""The wire form: MessagePack, times as its timestamp extension."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, TypedDict, cast

import msgspec

from eventtracking_core.encoding._checks import has_foreign_datetime, is_bounded, is_normal
from eventtracking_core.encoding._normal import MAX_TEXT_IN_ALL, normalize_event

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["decode_msgpack", "encode_msgpack", "normal_from_msgpack"]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode

NESTED: Final = 4
"""Levels of containers in data and context that are told to be normal while they are decoded."""

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
_T: Final = ord("T")
_NAIVE: Final = re.compile(rb"T(?<=\d{4}-\d\d-\d\dT)\d\d:\d\d:\d\d")


def encode_msgpack(event: Event) -> bytes:
    """Return an event as MessagePack. Never raises; the bytes are a snapshot of the event."""
    try:
        if is_bounded(event):
            wire = _encode(event)
            if len(wire) <= MAX_TEXT_IN_ALL and not (
                _may_be_foreign(wire) and has_foreign_datetime(event)
            ):
                return wire
    except Exception:  # noqa: BLE001, S110  what the encoder refuses is normalized
        pass
    return _encode(normalize_event(event))


def _may_be_foreign(wire: bytes) -> bool:
    # A datetime without an offset travels as text, and any other with the byte 0xff, which is in
    # no text; the first one is the timestamp's own, most often.
    if wire.find(b"\xff", wire.find(b"\xff") + 1) >= 0:
        return True
    return _T in wire and _NAIVE.search(wire) is not None


def decode_msgpack(wire: bytes) -> Event:
    """Return the event that `encode_msgpack` was given, in plain values.

    Raises:
        ValueError: the bytes are not an event in MessagePack.
    """
    return cast("Event", _decode(wire))


def normal_from_msgpack(wire: bytes) -> Event:
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
    event = _decode(wire)
    return cast("Event", event) if is_normal(event) else normalize_event(event)
