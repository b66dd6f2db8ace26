"""An event as a row of the table."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from eventtracking_core.encoding import Columns

__all__ = ["INSERT", "Row", "row", "timestamp_text"]

Row = tuple[str, str, str, str | None, str | None, str | None, str]

_WITH_MICROSECONDS: Final = len("2026-09-12T12:55:00.123450Z")

INSERT: Final = """
INSERT INTO events (id, name, timestamp, user_id, name_id, context_type_id, event)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""


def row(text: bytes, columns: Columns) -> Row:
    """Return the row of an event, given its JSON and the columns of that."""
    return (
        columns.id,
        columns.name,
        _fixed_width(columns),
        columns.user_text,
        *columns.type_ids,
        text.decode(),
    )


def _fixed_width(columns: Columns) -> str:
    """Return the time of an event as `timestamp_text` has it."""
    text = columns.timestamp
    return text if len(text) == _WITH_MICROSECONDS else timestamp_text(columns.moment)


def timestamp_text(timestamp: datetime) -> str:
    """Return a UTC time as text of a fixed width, which sorts in order of time."""
    return f"{timestamp.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
