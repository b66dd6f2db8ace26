"""An event as a row of the table."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from eventtracking_core import Event
from eventtracking_core.encoding import decode_json, encode_json, id_text, normalize_event

__all__ = ["INSERT", "Row", "row", "timestamp_text"]

Row = tuple[str, str, str, str | None, str | None, str | None, str]

INSERT: Final = """
INSERT INTO events (id, name, timestamp, user_id, name_id, context_type_id, event)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""


def row(event: Event) -> Row:
    """Return an event's row. The columns are derived from the JSON, so the two agree."""
    try:
        text = encode_json(event)
        plain = decode_json(text)
    except (ValueError, OverflowError, RecursionError):  # not in an event's normal form
        text = encode_json(normalize_event(event))
        plain = decode_json(text)
    return (
        plain["id"],
        plain["name"],
        timestamp_text(plain["timestamp"]),
        id_text(plain["context"].get("user_id")) or None,
        _text(plain.get("name_id")),
        _text(plain.get("context_type_id")),
        text.decode(),
    )


def timestamp_text(timestamp: datetime) -> str:
    """Return a UTC time as text of a fixed width, which sorts in order of time."""
    return f"{timestamp.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
