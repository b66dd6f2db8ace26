"""Events as rows in PostgreSQL's binary COPY format.

See https://www.postgresql.org/docs/current/sql-copy.html (Binary Format).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

from eventtracking_core import Event
from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import decode_json, encode_json, id_text, normalize_event
from eventtracking_core.events import is_normal

__all__ = ["COLUMNS", "Row", "binary", "row"]

COLUMNS: Final = "id, name, timestamp, user_id, name_id, context_type_id, event"

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_END: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NUL: Final = b"\\u0000"
_BACKSLASH: Final = 0x5C
_ESCAPE: Final = re.compile(rb"\\(?:u0000|.)", re.DOTALL)

_length: Final = Struct("!i").pack
_id: Final = Struct("!hi").pack
_time: Final = Struct("!iq").pack
_jsonb: Final = Struct("!ib").pack


Row = tuple[bytes, datetime]
"""An event as a row, and its time."""


def row(event: Event) -> Row:
    """Return an event's row; its columns agree with its JSON."""
    text = encode_json(event)
    if not _has_nul(text) and is_normal(event):
        try:
            return _row(event, text)
        except UnicodeEncodeError:  # a lone surrogate
            pass
    stored = _without_nul(text)
    try:
        plain = decode_json(stored)
    except (ValueError, OverflowError, RecursionError):  # not in an event's normal form
        text = encode_json(normalize_event(event))
        stored = _without_nul(text)
        plain = decode_json(stored)
    if stored != text:
        report(
            logging.WARNING,
            ("postgres", "NUL", plain["name"]),
            "%s: PostgreSQL cannot store NUL characters; U+FFFD is stored in their place",
            plain["name"],
        )
    return _row(plain, stored)


def binary(rows: Iterable[Row]) -> bytes:
    """Return rows as the data of one COPY."""
    return b"".join([_HEADER, *(data for data, _ in rows), _END])


def _row(event: Event, text: bytes) -> Row:
    event_id, name, timestamp = event["id"].encode(), event["name"].encode(), event["timestamp"]
    user = event["context"].get("user_id")
    data = b"".join(
        (
            _id(7, len(event_id)),
            event_id,
            _length(len(name)),
            name,
            _time(8, (timestamp - _EPOCH) // _MICROSECOND),
            _text(user) if type(user) is str and user else _user(user),
            _text(event["name_id"]) if "name_id" in event else _NULL,
            _text(event["context_type_id"]) if "context_type_id" in event else _NULL,
            _jsonb(len(text) + 1, 1),
            text,
        )
    )
    return data, timestamp


def _user(value: object) -> bytes:
    if type(value) is int:
        return _text(str(value))
    return _text(id_text(value) or None) if value is not None else _NULL


def _text(value: object) -> bytes:
    if not isinstance(value, str):
        return _NULL
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def _has_nul(text: bytes) -> bool:
    return _BACKSLASH in text and _NUL in text  # to look for one byte takes a tenth of the time


def _without_nul(text: bytes) -> bytes:
    """Return JSON with U+FFFD for each NUL, which PostgreSQL cannot store."""
    if not _has_nul(text):
        return text
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[0] == _NUL else found[0], text)
