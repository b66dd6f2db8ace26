"""Events and event-type records as rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from eventtracking_core import Event, EventType
from eventtracking_core.encoding import decode_json, encode_json, id_text, normalize_event
from eventtracking_core.events import is_normal

__all__ = ["COLUMNS", "RECORD_COLUMNS", "Row", "microseconds", "record_row", "row"]

# Also for LowCardinality columns: the server converts them, so that the driver need not.
COLUMNS: Final[Mapping[str, str]] = {
    "timestamp": "DateTime64(6, 'UTC')",
    **dict.fromkeys(("id", "name", "user_id", "name_id", "context_type_id", "event"), "String"),
}
"""The types in which events are sent, by column."""

RECORD_COLUMNS: Final[Mapping[str, str]] = dict.fromkeys(("id", "kind", "name", "record"), "String")
"""The types in which event-type records are sent, by column."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST: Final = (datetime(2300, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND - 1
"""The range of DateTime64."""

Row = tuple[int, bytes, bytes, bytes, bytes, bytes, bytes]


def row(event: Event) -> Row:
    """Return an event's row; its columns agree with its JSON."""
    text = encode_json(event)
    if is_normal(event):
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


def record_row(record: EventType) -> tuple[bytes, ...]:
    """Return the row of an event-type record."""
    texts = (record.id, record.kind, record.name, json.dumps(record.to_dict()))
    return tuple(text.encode() for text in texts)


def microseconds(moment: datetime) -> int:
    """Return a time as the column `timestamp` has it: one out of its range is clamped."""
    return min(max((moment - _EPOCH) // _MICROSECOND, _EARLIEST), _LATEST)


def _row(event: Event, text: bytes) -> Row:
    return (
        microseconds(event["timestamp"]),
        event["id"].encode(),
        event["name"].encode(),
        _user(event["context"].get("user_id")).encode(),
        _text(event.get("name_id")),
        _text(event.get("context_type_id")),
        text,
    )


def _user(value: object) -> str:
    if type(value) is int:
        return str(value)
    return (value if type(value) is str else id_text(value)) or ""


def _text(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else b""
