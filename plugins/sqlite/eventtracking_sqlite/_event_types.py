"""Event-type records, in tables that can be queried for the meaning of a field."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from eventtracking_core import EventType

__all__ = ["EVENT_TYPES", "event_type", "insert"]

EVENT_TYPES: Final = "SELECT record FROM event_types ORDER BY registered_at, rowid"

_INSERT: Final = """
INSERT INTO event_types (id, kind, name, description, registered_at, stack_trace, record)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""
_INSERT_FIELD: Final = """
INSERT INTO event_type_fields (event_type_id, part, name, description, type, required, pii)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""


def insert(connection: sqlite3.Connection, record: EventType) -> None:
    """Insert a record and its fields, unless they are already stored."""
    plain = record.to_dict()
    stack_trace = "\n".join(record.stack_trace)
    text = json.dumps(plain, ensure_ascii=False)
    connection.execute(
        _INSERT,
        (
            *(record.id, record.kind, record.name, record.description),
            *(plain["registered_at"], stack_trace, text),
        ),
    )
    parts = {"data": record.fields, "context": record.context_fields}
    if record.kind != "event":
        parts = {"context": record.fields}
    connection.executemany(
        _INSERT_FIELD,
        [
            (record.id, part, doc.name, doc.description, doc.type, doc.required, doc.pii)
            for part, fields in parts.items()
            for doc in fields
        ],
    )


def event_type(text: str) -> EventType:
    """Return the record in a row of `EVENT_TYPES`."""
    return EventType.from_dict(json.loads(text))
