"""The text form: one line of RFC 8259 JSON an event, whatever is in it.

Times are RFC 3339 with `Z`. Characters that could act on a terminal or split a line (controls,
U+2028, marks that turn the direction of text) are escaped, so that a line is safe in any log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from eventtracking_core.encoding._checks import MAX_WEIGHT, quick_weight, seen_context
from eventtracking_core.encoding._encodable import encodable
from eventtracking_core.encoding._normal import converter, exactly, normalize_event, scalar_hook
from eventtracking_core.encoding._walk import MAX_TEXT_IN_ALL
from eventtracking_core.errors import EventTrackingError
from eventtracking_core.events import as_utc, real
from eventtracking_core.lifecycle.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = [
    "decode_fields",
    "decode_json",
    "decode_stored",
    "encode_json",
    "encode_normal",
    "encode_text",
    "write_json",
]

_encoder: Final = msgspec.json.Encoder(enc_hook=scalar_hook(exactly))
_encode: Final = _encoder.encode
_encode_into: Final = _encoder.encode_into
_convert: Final = converter(exactly)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_convert_time: Final = msgspec.convert
_DATETIME: Final = real(datetime)
_TYPES: Final[dict[str, type]] = {"id": str, "name": str, "context": dict, "data": dict}
_encoded_context: Final[list[tuple[object, msgspec.Raw]]] = [({}, msgspec.Raw(b"{}"))]
"""A context that several events share, and never changes; and its JSON."""

_DEL: Final = 0x7F
# DEL and C1 controls, line and paragraph separators, directional marks, as they stand in UTF-8.
_UNSAFE: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]"
)
# The same by first byte, with the last bytes there are: looking for single bytes takes no time.
_LEADS: Final = (
    (0xC2, bytes(range(0x80, 0xA0)), re.compile(rb"\xc2[\x80-\x9f]").search),
    (0xD8, b"\x9c", re.compile(rb"\xd8\x9c").search),
    (
        0xE2,
        b"\x8e\x8f\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae",
        re.compile(rb"\xe2(?:\x80[\x8e\x8f\xa8-\xae]|\x81[\xa6-\xa9])").search,
    ),
)


def encode_json(event: Event) -> bytes:
    """Return an event as one line of JSON in UTF-8, without the newline. Never raises."""
    try:
        context = event["context"]
        is_shared = context is seen_context[0]
        weighs = quick_weight(event)
        fields: Any = event if 0 <= weighs <= MAX_WEIGHT else encodable(event, weighs, _convert)
        if fields is not None:
            if is_shared:
                last_context, raw = _encoded_context[0]
                if last_context is not context:
                    raw = msgspec.Raw(_encode(context))
                    _encoded_context[0] = context, raw
                fields = {**fields, "context": raw}
            text = _encode(fields)
            if len(text) <= MAX_TEXT_IN_ALL:
                if _DEL in text if text.isascii() else _is_unsafe(text):
                    return _escaped(text)
                return text
    except Exception as error:  # noqa: BLE001  what the encoder refuses is normalized
        pass_on(error)
    text = _encode(normalize_event(event, big=exactly))
    return _escaped(text) if _is_unsafe(text) else text


def encode_text(event: Event) -> bytes:
    """Return what `encode_json` returns, of the normal form where a part is missing or unusual.

    So `decode_json` can read it, whatever the event was. Never raises.
    """
    try:
        event_id, name, time = event["id"], event["name"], event["timestamp"]
        if type(event_id) is type(name) is str and type(time) is _DATETIME:
            return encode_json(event)
    except KeyError:
        pass
    return encode_json(normalize_event(event, big=exactly))


def write_json(event: Event, buffer: bytearray) -> None:
    """Write what `encode_json` returns into a buffer, in place of what it held.

    The faster form where one buffer serves many events. A buffer serves one thread at a time.
    """
    try:
        weighs = quick_weight(event)
        taken = event if 0 <= weighs <= MAX_WEIGHT else encodable(event, weighs, _convert)
        if taken is not None:
            _encode_into(taken, buffer)
            if len(buffer) <= MAX_TEXT_IN_ALL:
                if _DEL in buffer if buffer.isascii() else _is_unsafe(buffer):
                    buffer[:] = _escaped(buffer)
                return
    except Exception as error:  # noqa: BLE001  what the encoder refuses is normalized
        pass_on(error)
    _encode_into(normalize_event(event, big=exactly), buffer)
    if _is_unsafe(buffer):
        buffer[:] = _escaped(buffer)


def encode_normal(events: Sequence[Event]) -> list[bytes] | None:
    """Return what `encode_json` returns of each event, or None where that takes a closer look.

    Args:
        events: each in normal form, and no value is in it twice.
    """
    try:
        text = _encoder.encode_lines(events)
    except Exception as error:  # noqa: BLE001  a file may hold anything
        pass_on(error)
        return None
    if _DEL in text if text.isascii() else _is_unsafe(text):
        text = _escaped(text)
    lines = text.split(b"\n")
    lines.pop()  # the text ends with a newline
    return lines if max(map(len, lines), default=0) <= MAX_TEXT_IN_ALL else None


def decode_json(text: bytes | str) -> Event:
    """Return the event of a line that `encode_json` made.

    Raises:
        ValueError: the line is not JSON, or not an event with an id, a name and a time.
    """
    fields = decode_fields(text)
    get = fields.get
    if not (
        type(get("id")) is type(get("name")) is str
        and type(get("context")) is type(get("data")) is dict
    ):
        wrong = next(key for key, kind in _TYPES.items() if type(get(key)) is not kind)
        raise ValueError(f"{wrong} is missing, or not of its type")
    fields["timestamp"] = as_utc(_convert_time(get("timestamp"), _DATETIME))
    return cast("Event", fields)


def decode_stored(text: bytes | str) -> Event:
    """Return the event of the JSON in a store.

    Raises:
        EventTrackingError: the JSON is not an event's; another program may have changed it.
    """
    try:
        return decode_json(text)
    except ValueError as error:
        raise EventTrackingError(f"a stored event is damaged: {error}") from error


def decode_fields(text: bytes | str) -> dict[str, Any]:
    """Return what a line of JSON says of an event, which may be anything.

    Raises:
        ValueError: the line is no JSON object.
    """
    try:
        return _decode(text)
    except RecursionError as error:
        raise ValueError("the line is nested too deep") from error


def _is_unsafe(text: bytes | bytearray) -> bool:
    return _DEL in text or any(
        lead in text and any(last in text for last in lasts) and search(text) is not None
        for lead, lasts, search in _LEADS
    )


def _escaped(text: bytes | bytearray) -> bytes:
    return _UNSAFE.sub(lambda match: b"\\u%04x" % ord(match[0].decode()), text)
