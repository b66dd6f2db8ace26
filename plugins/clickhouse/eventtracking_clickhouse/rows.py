"""Events as rows in ClickHouse's format RowBinary."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

from eventtracking_core import Event, EventType
from eventtracking_core.encoding import decode_json, encode_json, id_text, normalize_event

__all__ = ["COLUMNS", "RECORD_COLUMNS", "Row", "microseconds", "record_row", "row"]

COLUMNS: Final = ("timestamp", "id", "name", "user_id", "name_id", "context_type_id", "event")
RECORD_COLUMNS: Final = ("id", "kind", "name", "record")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST: Final = (datetime(2300, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND - 1
"""The range of DateTime64."""

_ONE_BYTE: Final = 0x80
_EMPTY: Final = b"\0"

_time: Final = Struct("<q").pack

Row = tuple[bytes, bytes]
"""The id of an event, and its row."""


def row(event: Event) -> Row:
    """Return an event's row; its columns agree with its JSON."""
    text = encode_json(event)
    if _is_plain(event):
        try:
            return _row(event, text)
        except UnicodeEncodeError:  # a lone surrogate
            pass
    try:
        plain = decode_json(text)
    except (ValueError, OverflowError, RecursionError):  # not in an event's normal form
        text = encode_json(normalize_event(event))
        plain = decode_json(text)
    return _row(plain, text)


def record_row(record: EventType) -> bytes:
    """Return the row of an event-type record."""
    texts = (record.id, record.kind, record.name, json.dumps(record.to_dict()))
    return b"".join(_string(text.encode()) for text in texts)


def microseconds(moment: datetime) -> int:
    """Return a time as the column `timestamp` has it: one out of its range is clamped."""
    return min(max((moment - _EPOCH) // _MICROSECOND, _EARLIEST), _LATEST)


def _is_plain(event: Event) -> bool:
    return (
        type(event["id"]) is str
        and type(event["name"]) is str
        and type(event["timestamp"]) is datetime
        and event["timestamp"].tzinfo is UTC
        and type(event["context"]) is dict
    )


def _row(event: Event, text: bytes) -> Row:
    event_id = event["id"].encode()
    parts = (
        _time(microseconds(event["timestamp"])),
        _string(event_id),
        _string(event["name"].encode()),
        _text(_user(event["context"].get("user_id"))),
        _text(event.get("name_id")),
        _text(event.get("context_type_id")),
        _string(text),
    )
    return event_id, b"".join(parts)


def _user(value: object) -> str:
    if type(value) is int:
        return str(value)
    return (value if type(value) is str else id_text(value)) or ""


def _text(value: object) -> bytes:
    return _string(value.encode()) if isinstance(value, str) else _EMPTY


def _string(text: bytes) -> bytes:
    """Return a text after its length as LEB128."""
    length = len(text)
    if length < _ONE_BYTE:
        return length.to_bytes() + text
    digits = bytearray()
    while length >= _ONE_BYTE:
        digits.append(length & 0x7F | _ONE_BYTE)
        length >>= 7
    digits.append(length)
    return bytes(digits) + text
