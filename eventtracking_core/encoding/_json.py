"""The text form: one line of RFC 8259 JSON an event, whatever is in it.

Times are RFC 3339 with `Z`. Characters that could act on a terminal or split a line (controls,
U+2028, marks that turn the direction of text) are escaped, so that a line is safe in any log.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from eventtracking_core.encoding._checks import has_foreign_datetime, is_bounded
from eventtracking_core.encoding._normal import MAX_TEXT_IN_ALL, normalize_event
from eventtracking_core.events import as_utc

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["decode_json", "encode_json", "write_json"]

_encode: Final = msgspec.json.Encoder().encode
_encode_into: Final = msgspec.json.Encoder().encode_into
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
# What a datetime looks like that does not end in Z.
_FOREIGN: Final = re.compile(rb'T(?<="\d{4}-\d\d-\d\dT)\d\d:\d\d:\d\d(?:\.\d{1,6})?["+-]')
_DEL: Final = 0x7F
# DEL and C1 controls, line and paragraph separators, directional marks, as they stand in UTF-8.
_UNSAFE: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]"
)


def encode_json(event: Event) -> bytes:
    """Return an event as one line of JSON in UTF-8, without the newline. Never raises."""
    buffer = bytearray()
    write_json(event, buffer)
    return bytes(buffer)


def write_json(event: Event, buffer: bytearray) -> None:
    """Write what `encode_json` returns into a buffer, in place of what it held.

    The faster form where one buffer serves many events. A buffer serves one thread at a time.
    """
    try:
        if is_bounded(event):
            _encode_into(event, buffer)
            if len(buffer) <= MAX_TEXT_IN_ALL and not (
                _may_be_foreign(buffer) and has_foreign_datetime(event)
            ):
                if _DEL in buffer if buffer.isascii() else _UNSAFE.search(buffer):
                    buffer[:] = _escaped(buffer)
                return
    except Exception:  # noqa: BLE001, S110  what the encoder refuses is normalized
        pass
    buffer[:] = _escaped(_encode(normalize_event(event, big=_exactly)))


def decode_json(text: bytes | str) -> Event:
    """Return the event of a line that `encode_json` made.

    Raises:
        ValueError: the line is not JSON, or not an event with an id, a name and a time.
    """
    try:
        fields = _decode(text)
    except RecursionError as error:
        raise ValueError("the line is nested too deep") from error
    for key, kind in (("id", str), ("name", str), ("context", dict), ("data", dict)):
        if not isinstance(fields.get(key), kind):
            raise ValueError(f"{key} is missing, or not of its type")
    fields["timestamp"] = as_utc(msgspec.convert(fields.get("timestamp"), datetime))
    return cast("Event", fields)


def _exactly(number: int) -> int:
    str(number)  # raises a ValueError where there are more digits than the interpreter prints
    return number


def _may_be_foreign(text: bytearray) -> bool:
    # The first T is the timestamp's own, most often: without another there is no need to search.
    return text.find(b"T", text.find(b"T") + 1) >= 0 and _FOREIGN.search(text) is not None


def _escaped(text: bytes | bytearray) -> bytes:
    return _UNSAFE.sub(lambda match: b"\\u%04x" % ord(match[0].decode()), text)
