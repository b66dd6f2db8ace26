"""An event as a row of the table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from eventtracking_core import Event
from eventtracking_core.encoding import encode_json, id_text, normalize_event

__all__ = ["INSERT", "Row", "row", "timestamp_text"]

Row = tuple[str, str, str, str | None, str | None, str | None, str]

_WITH_MICROSECONDS: Final = len("2026-09-12T12:55:00.123450Z")

INSERT: Final = """
INSERT INTO events (id, name, timestamp, user_id, name_id, context_type_id, event)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""


class _Skipped(msgspec.Struct):
    """An object, whatever is in it."""


class _Context(msgspec.Struct, gc=False):
    user_id: Any = None


class _Line(msgspec.Struct, gc=False):
    """What the columns need of an event's JSON."""

    id: str
    name: str
    timestamp: str
    context: _Context
    data: _Skipped
    name_id: Any = None
    context_type_id: Any = None


_decode: Final = msgspec.json.Decoder(_Line).decode


def row(event: Event) -> Row:
    """Return an event's row. The columns are derived from the JSON, so the two agree."""
    text = encode_json(event)
    try:
        line = _decode(text)
    except ValueError:  # not in an event's normal form
        text = encode_json(normalize_event(event))
        line = _decode(text)
    return (
        line.id,
        line.name,
        _fixed_width(line.timestamp),
        _user(line.context.user_id),
        _text(line.name_id),
        _text(line.context_type_id),
        text.decode(),
    )


def _fixed_width(timestamp: str) -> str:
    """Return a time of an event's JSON as `timestamp_text` has it."""
    if timestamp.endswith("Z") and len(timestamp) == _WITH_MICROSECONDS:
        return timestamp
    return timestamp_text(datetime.fromisoformat(timestamp).astimezone(UTC))


def _user(value: Any) -> str | None:
    if type(value) is int:
        return str(value)
    return (value if type(value) is str else id_text(value)) or None


def timestamp_text(timestamp: datetime) -> str:
    """Return a UTC time as text of a fixed width, which sorts in order of time."""
    return f"{timestamp.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
